"""Writes text so that a reader, or a process that goes on, never meets half of it."""

from pathlib import Path


def write_whole(path: Path, text: str) -> None:
    """Write a file under another name, then give it its own: all of it, or nothing."""
    draft = path.with_name(f"{path.name}.tmp")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)
