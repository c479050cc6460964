"""Digests are asked of a registry, and never made up."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from benchmarks.ports import free_ports
from container.pins import PLACEHOLDER, main, pin, pinned
from container.registry import DigestUnknown, Image, digest_of
from tests.container.registry_server import Registry, registry_server

ZEROS = f"sha256:{0:064}"
PYTHON = "library/python"


@pytest.fixture
def registry() -> Iterator[Registry]:
    with registry_server() as one:
        yield one


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with httpx.Client(trust_env=False) as one:
        yield one


def containerfile(folder: Path, registry: str, digest: str = PLACEHOLDER) -> Path:
    file = folder / "Containerfile"
    file.write_text(f"FROM {registry}/{PYTHON}:3.11@{digest} AS system\nRUN true\n")
    return file


def test_a_tag_stands_for_the_digest_of_what_the_registry_sends(
    registry: Registry, client: httpx.Client
) -> None:
    digest = registry.put(PYTHON, "3.11")
    assert digest_of(Image(registry.host, PYTHON, "3.11"), client) == digest


def test_a_public_registry_hands_its_token_to_anybody(
    registry: Registry, client: httpx.Client
) -> None:
    digest = registry.put(PYTHON, "3.11")
    registry.wants_token = True
    assert digest_of(Image(registry.host, PYTHON, "3.11"), client) == digest
    manifest = f"/v2/{PYTHON}/manifests/3.11"
    assert registry.asked == [manifest, "/token", manifest]


def test_a_private_registry_is_refused(registry: Registry, client: httpx.Client) -> None:
    registry.put("other", "1")
    registry.wants_token = True
    with pytest.raises(DigestUnknown, match=r"other:1: its registry answers 401\.$"):
        digest_of(Image(registry.host, "other", "1"), client)


def test_what_the_registry_does_not_have_is_refused(
    registry: Registry, client: httpx.Client
) -> None:
    with pytest.raises(DigestUnknown, match=r"library/python:9: its registry answers 404\.$"):
        digest_of(Image(registry.host, PYTHON, "9"), client)


def test_a_registry_that_says_another_digest_than_it_sends_is_refused(
    registry: Registry, client: httpx.Client
) -> None:
    digest = registry.put(PYTHON, "3.11")
    registry.told_digest = ZEROS
    with pytest.raises(DigestUnknown, match=f"says {ZEROS} and sends {digest}"):
        digest_of(Image(registry.host, PYTHON, "3.11"), client)


def test_a_page_in_place_of_a_manifest_is_refused(registry: Registry, client: httpx.Client) -> None:
    registry.put(PYTHON, "3.11")
    registry.media_type = "text/html"
    with pytest.raises(DigestUnknown, match="sends no manifest, but 'text/html'"):
        digest_of(Image(registry.host, PYTHON, "3.11"), client)


def test_docker_hub_is_asked_where_it_answers() -> None:
    image = Image("docker.io", PYTHON, "3.11-slim-bookworm")
    assert image.url == (
        "https://registry-1.docker.io/v2/library/python/manifests/3.11-slim-bookworm"
    )


def test_a_containerfile_gets_its_digest(
    tmp_path: Path, registry: Registry, client: httpx.Client
) -> None:
    digest = registry.put(PYTHON, "3.11")
    file = containerfile(tmp_path, registry.host)
    assert pin([file], client) == []
    assert file.read_text() == (
        f"FROM {registry.host}/{PYTHON}:3.11@{digest} AS system\nRUN true\n"
    )


def test_a_tag_that_was_moved_is_pinned_anew(
    tmp_path: Path, registry: Registry, client: httpx.Client
) -> None:
    digest = registry.put(PYTHON, "3.11")
    file = containerfile(tmp_path, registry.host, ZEROS)
    assert pin([file], client) == []
    assert f":3.11@{digest} AS" in file.read_text()


def test_a_kustomization_gets_the_digests_of_its_images(
    tmp_path: Path, registry: Registry, client: httpx.Client
) -> None:
    ours, theirs = registry.put("rapt", "0.1.0"), registry.put("nvidia/tritonserver", "24.10")
    text = (
        "# What runs.\nimages:\n"
        f"  - name: rapt\n    newName: {registry.host}/rapt\n    newTag: 0.1.0\n"
        f"    digest: {PLACEHOLDER}\n"
        f"  - name: {registry.host}/nvidia/tritonserver\n    newTag: '24.10'\n"
        f"    digest: {ZEROS}\n"
        "patches: []\n"
    ).replace("'", "")
    file = tmp_path / "kustomization.yaml"
    file.write_text(text)
    assert pin([file], client) == []
    assert file.read_text() == text.replace(PLACEHOLDER, ours).replace(ZEROS, theirs)


def test_an_image_that_is_built_here_has_nothing_to_pin() -> None:
    text = "images:\n  - name: rapt\n    newTag: local\n"
    assert pinned(text, lambda *_: ZEROS) == text


def test_an_examples_name_is_nobodys_and_stays_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "kustomization.yaml"
    text = (
        "images:\n  - name: rapt\n    newName: registry.example.com/rapt\n    newTag: 0.1.0\n"
        f"    digest: {PLACEHOLDER}\n"
    )
    file.write_text(text)
    result = CliRunner().invoke(main, [str(file)])
    assert result.exit_code == 0
    assert result.stdout == (
        "registry.example.com/rapt:0.1.0 is an example's name, which nobody can pull: it is left "
        "until yours stands there.\n"
    )
    assert file.read_text() == text


def test_what_cannot_be_resolved_keeps_what_it_had(
    tmp_path: Path, registry: Registry, client: httpx.Client
) -> None:
    file = containerfile(tmp_path, registry.host)
    before = file.read_text()
    (reason,) = pin([file, file], client)
    assert reason == f"{registry.host}/{PYTHON}:3.11: its registry answers 404."
    assert file.read_text() == before
    assert len(registry.asked) == 1


def test_a_name_without_a_registry_is_not_looked_for_elsewhere(
    tmp_path: Path, client: httpx.Client
) -> None:
    file = tmp_path / "kustomization.yaml"
    file.write_text(f"images:\n  - name: rapt\n    newTag: 0.1.0\n    digest: {PLACEHOLDER}\n")
    assert pin([file], client) == ["rapt:0.1.0: say its registry, as in registry.example.com/rapt."]


def test_without_a_network_it_fails_in_a_line(tmp_path: Path) -> None:
    registry = f"127.0.0.1:{free_ports(1)[0]}"
    file = containerfile(tmp_path, registry)
    before = file.read_text()
    result = CliRunner().invoke(main, [str(file)])
    assert result.exit_code == 1
    assert result.stderr == (
        f"Error: {registry}/{PYTHON}:3.11: its registry can't be reached "
        "(ConnectError). Try again with a network. It keeps the digest that it had.\n"
    )
    assert file.read_text() == before
