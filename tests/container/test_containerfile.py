"""The Containerfile is read as it is written, and ours keeps to what it promises."""

import subprocess
import sys
from pathlib import Path

import pytest

from container.containerfile import (
    Instruction,
    NotUnderstood,
    pairs,
    read_stages,
    with_variables,
)

PROJECT = Path(__file__).parents[2]
HADOLINT = Path(sys.executable).with_name("hadolint")
TWO = """# What it is.
FROM docker.io/library/python:3.11 AS packages
# Why.
RUN one && \\
    # and the other
    two \\
        --three
COPY a b/

FROM packages
USER 10001:10001
"""


def test_stages_and_instructions_are_read_in_order() -> None:
    packages, last = read_stages(TWO)
    assert (packages.name, packages.image) == ("packages", "docker.io/library/python:3.11")
    assert packages.instructions == (
        Instruction(4, "RUN", "one && two --three"),
        Instruction(8, "COPY", "a b/"),
    )
    assert (last.name, last.image) == ("", "packages")
    assert last.instructions == (Instruction(11, "USER", "10001:10001"),)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("RUN true\n", "Line 1: RUN isn't understood here."),
        ("FROM a\n\nADD b c\n", "Line 3: ADD isn't understood here."),
        ("FROM --platform=linux/amd64 a\n", "Line 1: FROM --platform=linux/amd64 a isn't"),
    ],
)
def test_what_is_not_known_is_refused(text: str, said: str) -> None:
    with pytest.raises(NotUnderstood) as caught:
        read_stages(text)
    assert str(caught.value).startswith(said)


def test_variables_are_put_in() -> None:
    assert with_variables("${A}/b:$PATH:$NONE", {"A": "a", "PATH": "/bin"}) == "a/b:/bin:"
    assert pairs("A=1 B=/two:$A") == {"A": "1", "B": "/two:$A"}


def test_ours_begins_all_stages_with_one_image_by_digest() -> None:
    stages = read_stages((PROJECT / "Containerfile").read_text(encoding="utf-8"))
    assert [stage.image for stage in stages[1:]] == ["system"] * (len(stages) - 1)
    assert "@sha256:" in stages[0].image


def test_ours_runs_as_nobody_in_particular_and_names_its_ports() -> None:
    last = read_stages((PROJECT / "Containerfile").read_text(encoding="utf-8"))[-1]
    said = {one.word: one.value for one in last.instructions}
    assert (said["USER"], said["EXPOSE"]) == ("10001:10001", "3000 3001")


def test_ours_installs_by_hash_alone() -> None:
    stages = read_stages((PROJECT / "Containerfile").read_text(encoding="utf-8"))
    installs = [
        command
        for stage in stages
        for one in stage.instructions
        for command in one.value.split(" && ")
        if "pip install" in command
    ]
    assert len(installs) == 2
    packages, ourselves = installs
    assert "--require-hashes" in packages
    assert "--no-index" in ourselves


@pytest.mark.skipif(not HADOLINT.exists(), reason="hadolint has no wheel for this machine")
def test_hadolint_has_nothing_to_say_of_ours() -> None:
    done = subprocess.run(  # noqa: S603  # our own words
        [HADOLINT, PROJECT / "Containerfile"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")
