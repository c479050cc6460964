"""Copies as `COPY` does: what is in folders, and of the project only what isn't ignored."""

import shutil
from pathlib import Path

import pathspec

from container.containerfile import NotUnderstood

IGNORED = ".dockerignore"


def copy_from_stage(source: Path, target: Path) -> None:
    """Copy what is in a folder of another stage, links as links."""
    shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True)


def copy_from_project(project: Path, source: str, target: Path, *, into: bool) -> None:
    """Copy a file, or what is in a folder, of the project.

    Args:
        project: the folder with ``.dockerignore``, whose patterns are read as git reads its own.
        source: relative to the project.
        target: where it goes.
        into: a file goes into ``target``, in place of becoming it.

    Raises:
        NotUnderstood: there is nothing to copy.
    """
    path = project / source
    files = [one for one in _files(path) if not _ignored(project).match_file(_name(one, project))]
    if not files:
        raise NotUnderstood(f"COPY {source}: {IGNORED} leaves nothing of it, or it isn't there.")
    for one in files:
        inner = one.relative_to(path) if path.is_dir() else Path(one.name if into else "")
        (target / inner).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(one, target / inner)


def _files(path: Path) -> list[Path]:
    found = sorted(path.rglob("*")) if path.is_dir() else [path]
    return [one for one in found if one.is_file()]


def _name(file: Path, project: Path) -> str:
    return file.relative_to(project).as_posix()


def _ignored(project: Path) -> pathspec.GitIgnoreSpec:
    lines = (project / IGNORED).read_text(encoding="utf-8").splitlines()
    return pathspec.GitIgnoreSpec.from_lines(lines)
