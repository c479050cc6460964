"""What pages say to type fits what it is about."""

import re
from pathlib import Path

import pytest

from k8s.checks.rendering import render
from tests.docs.test_pages import PAGES

ROOT = Path(__file__).resolve().parents[2]
# `-p` and `--publish`, with what follows.
PUBLISHED = re.compile(r"(?:docker|podman) run\b.*?(?:-p|--publish) (?P<ports>\S+)")


def test_one_node_runs_the_image_that_its_recipe_builds_and_loads() -> None:
    recipe = (ROOT / "k8s" / "README.md").read_text(encoding="utf-8")
    pods = render(ROOT / "k8s" / "overlays" / "local").pods()
    (image,) = {one["image"] for pod in pods for one in pod.all_containers}
    # A name without a registry would be looked for at Docker Hub, as somebody else's.
    assert image.startswith("localhost/")
    assert f"podman build --tag {image} ." in recipe
    assert f"podman save --output build/rapt.tar {image}" in recipe
    assert "kind load image-archive build/rapt.tar" in recipe


@pytest.mark.parametrize(
    "page", [*PAGES, ROOT / "Containerfile"], ids=lambda page: str(page.relative_to(ROOT))
)
def test_ports_are_published_to_this_machine_alone(page: Path) -> None:
    published = PUBLISHED.findall(page.read_text(encoding="utf-8"))
    assert [ports for ports in published if not ports.startswith("127.0.0.1:")] == []
