"""The champion as files: from the registry into a model repository."""

import shutil
import tempfile
from pathlib import Path

from emotion.checksums import digest_of, read_checksums
from training.errors import ExportError, ModelFileError, PromotionError
from training.export.classifier import place_classifier, require_checksum_line
from training.registry.built_in import CLASSIFIER_PLACE
from training.registry.versions import Registry, Version


def export_champion(registry: Registry, repository: Path) -> Path:
    """Write the champion into a model repository; leave it alone if it is there already.

    Args:
        registry: where the champion is.
        repository: the model repository's folder; its README lists checksums.

    Returns:
        The path of the champion's ``model.onnx``.

    Raises:
        PromotionError: there is no champion yet.
        ExportError: the repository's README has no line for the classifier.
        RegistryError: MLflow doesn't answer, or the file is not what was registered.
        ModelFileError: the champion is no emotion classifier, or answers by no probabilities.
            What was there stays.
    """
    champion = _champion_of(registry)
    require_checksum_line(repository)
    path = repository / CLASSIFIER_PLACE
    if path.is_file() and _digests(repository) == (champion.sha256, champion.sha256):
        return path
    try:
        return place_classifier(registry.content(champion), repository)
    except ModelFileError as error:
        raise ModelFileError(f"{champion}: {error}. `rollback` takes it back") from error


def require_fit_to_commit(registry: Registry, *, large: bool) -> None:
    """Refuse a champion that should not come into a repository of code.

    Args:
        registry: where the champion is.
        large: whether it may be fp32.

    Raises:
        PromotionError: there is none yet, or it is a trial, or fp32 and large ones are not
            allowed.
        RegistryError: MLflow doesn't answer.
    """
    champion = _champion_of(registry)
    if champion.trial is not None:
        raise PromotionError(
            f"{champion} is a trial: it learnt from a cut of the data, and is never served"
        )
    if champion.precision == "fp32" and not large:
        raise PromotionError(
            f"{champion} is fp32: four times the bytes and the time of int8. Promote its int8 "
            "form, or give --precision fp32 to write it all the same"
        )


def require_place(repository: Path) -> None:
    """Refuse a folder that no classifier can be written into, before minutes of work.

    Args:
        repository: a model repository, or a folder that is empty or not there, and can be begun.

    Raises:
        ExportError: it is something else, or the folder that it would lie in is missing.
    """
    if _is_begun(repository):
        require_checksum_line(repository)
    elif not repository.absolute().parent.is_dir():
        raise ExportError(
            f"{repository}: the folder that it would lie in is missing. Make that, or choose "
            "another"
        )


def begin_repository(folder: Path, built_in: Path) -> None:
    """Copy the built-in model repository to a folder that isn't there, or is empty: all or nothing.

    Args:
        folder: becomes a model repository.
        built_in: the one that comes with the project.
    """
    if _is_begun(folder):
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        shutil.copytree(built_in, draft / folder.name)
        (draft / folder.name).replace(folder)
    finally:
        shutil.rmtree(draft)


def _is_begun(folder: Path) -> bool:
    return folder.is_file() or (folder.is_dir() and any(folder.iterdir()))


def _champion_of(registry: Registry) -> Version:
    champion = registry.champion()
    if champion is None:
        raise PromotionError("there is no champion to export yet. `promote` makes one")
    return champion


def _digests(repository: Path) -> tuple[str, str | None]:
    """Return the SHA-256 of the classifier's file, and the one that the README lists."""
    readme = (repository / "README.md").read_text(encoding="utf-8")
    return digest_of((repository / CLASSIFIER_PLACE).read_bytes()), read_checksums(readme).get(
        CLASSIFIER_PLACE
    )
