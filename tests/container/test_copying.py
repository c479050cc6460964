from pathlib import Path

import pytest

from container.containerfile import NotUnderstood
from container.copying import copy_from_project, copy_from_stage

PROJECT = Path(__file__).parents[2]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    for name in ("kept/a.py", "kept/__pycache__/a.pyc", "secret/key", "page.md"):
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name)
    (folder / ".dockerignore").write_text("/*\n!/kept\n!/page.md\n**/__pycache__\n")
    return folder


def names(folder: Path) -> list[str]:
    return sorted(str(one.relative_to(folder)) for one in folder.rglob("*") if one.is_file())


def test_what_is_in_a_folder_is_copied_but_what_is_ignored(project: Path, tmp_path: Path) -> None:
    copy_from_project(project, "kept", tmp_path / "image", into=False)
    assert names(tmp_path / "image") == ["a.py"]


def test_a_file_goes_into_a_folder_or_becomes_one(project: Path, tmp_path: Path) -> None:
    copy_from_project(project, "page.md", tmp_path / "image", into=True)
    copy_from_project(project, "page.md", tmp_path / "image" / "other.md", into=False)
    assert names(tmp_path / "image") == ["other.md", "page.md"]


@pytest.mark.parametrize("name", ["secret", "secret/key", "absent"])
def test_what_is_ignored_or_absent_cannot_be_copied(
    project: Path, tmp_path: Path, name: str
) -> None:
    with pytest.raises(NotUnderstood, match=f"COPY {name}: "):
        copy_from_project(project, name, tmp_path / "image", into=False)


def test_ours_lets_through_what_the_image_is_made_of_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / ".dockerignore").write_bytes((PROJECT / ".dockerignore").read_bytes())
    wanted = ["service/a/b.py", "model_repository/c", "requirements/d.txt", "build/models/e"]
    for name in (*wanted, ".git/config", "tests/f.py", "build/image/g", ".env"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    for source in ("service/a", "model_repository", "requirements", "build/models"):
        copy_from_project(tmp_path, source, tmp_path / "image" / source, into=False)
    assert names(tmp_path / "image") == sorted(wanted)
    for source in (".git", "tests", "build/image", ".env"):
        with pytest.raises(NotUnderstood):
            copy_from_project(tmp_path, source, tmp_path / "image", into=False)


def test_links_of_a_stage_stay_links(tmp_path: Path) -> None:
    stage = tmp_path / "stage"
    stage.mkdir()
    (stage / "python").symlink_to("/usr/local/bin/python")
    copy_from_stage(stage, tmp_path / "image")
    assert (tmp_path / "image" / "python").readlink() == Path("/usr/local/bin/python")
