"""Writes a model into the model repository: all of it, or nothing."""

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from emotion.checksums import digest_of, with_checksum
from training.whole_files import write_whole

# Loads in ONNX Runtime, OpenVINO and Triton 24.10 alike.
OPSET = 17


def write_model(repository: Path, name: str, model: bytes, files: Mapping[str, str]) -> Path:
    """Put a model in the place of the one that is served.

    The new folder is complete before it takes the old one's name, and the checksum in the
    repository's README follows. A crash on the way never leaves half a model to be served: at
    worst the folder is missing or its checksum is the former one, and the service refuses both.

    Args:
        repository: the model repository's folder; its README has a line for the model.
        name: of the model, and of its folder.
        model: the ONNX file's content; it becomes version 1.
        files: what lies beside it (``config.pbtxt``, ``labels.txt``, a licence): name to text.

    Returns:
        The path of the written ``model.onnx``.

    Raises:
        KeyError: the README has no line for the model.
    """
    readme = repository / "README.md"
    place = f"{name}/1/model.onnx"
    text = with_checksum(readme.read_text(encoding="utf-8"), place, digest_of(model))
    draft = Path(tempfile.mkdtemp(prefix=f".{name}.", dir=repository))
    try:
        draft.chmod(0o755)
        (draft / "1").mkdir()
        (draft / "1" / "model.onnx").write_bytes(model)
        for file, content in files.items():
            (draft / file).write_text(content, encoding="utf-8")
        _take_the_place(draft, repository / name)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    write_whole(readme, text)
    return repository / place


def _take_the_place(draft: Path, target: Path) -> None:
    """Move a finished folder to its name; a folder that is there steps aside first."""
    former = target.with_name(f".{target.name}.former")
    shutil.rmtree(former, ignore_errors=True)
    if target.exists():
        target.replace(former)
    draft.replace(target)
    shutil.rmtree(former, ignore_errors=True)
