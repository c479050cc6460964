"""What every source file keeps to, and no other tool checks."""

from pathlib import Path

PROJECT = Path(__file__).parents[2]
FOLDERS = (
    "emotion", "service", "training", "k8s", "loadtests", "benchmarks", "container", "tests",
)  # fmt: skip
FILES = sorted(path for folder in FOLDERS for path in (PROJECT / folder).rglob("*.py"))
MOST_LINES = 300
# Names that say nothing of what a file holds.
EMPTY_NAMES = {"base", "common", "core", "helper", "helpers", "misc", "util", "utils"}


def test_a_file_is_short() -> None:
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in FILES}
    assert {path: length for path, length in lengths.items() if length > MOST_LINES} == {}


def test_a_module_is_named_for_what_it_holds() -> None:
    places = [path.relative_to(PROJECT).with_suffix("") for path in FILES]
    assert [place for place in places if EMPTY_NAMES & set(place.parts)] == []
    assert places
