"""Prepares data: source -> look at every face -> a Parquet file a split, and a report.

What was prepared already is not done again: the splits that are finished, the parts of the one
that is not, and of a source that is prepared data what the same detector saw.
"""

import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path

import pyarrow.parquet

from emotion.alignment import REFERENCE_POINTS
from training.data.conditions import CROP_SETTINGS, LIMITS, PHOTO_SETTINGS
from training.data.fer2013 import SPLITS
from training.data.finders import identity_of, open_finder
from training.data.parts import Part, look_at_split, parts_folder
from training.data.prepared import inputs_of, write_split
from training.data.samples import fingerprint, read_samples
from training.data.sources import fetch
from training.data.turns import own_turn
from training.errors import DatasetError
from training.experiment import DEFAULT_NAME, DataRecipe
from training.whole_files import write_whole

_MANIFEST = "manifest.json"
_REPORT = "report.html"
# Raise it when the same inputs would give other files.
_FORMAT = 2


@dataclass(frozen=True, slots=True)
class Preparation:
    """What is to be done, and whether it is.

    Attributes:
        recipe: what is read, and who finds faces.
        source: where it lies on this machine.
        folder: where the prepared data goes.
        inputs: names all that the result depends on.
        seen_by: names all that what is seen of a face depends on.
        limit: images a split; all for None.
    """

    recipe: DataRecipe
    source: Path
    folder: Path
    inputs: str
    seen_by: str
    limit: int | None

    @property
    def is_done(self) -> bool:
        """Whether the folder holds all of it."""
        try:
            manifest = json.loads((self.folder / _MANIFEST).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return False
        is_reported = (self.folder / _REPORT).is_file()
        return manifest.get("inputs") == self.inputs and is_reported and all(map(self.has, SPLITS))

    def has(self, name: str) -> bool:
        """Whether a split is finished."""
        return inputs_of(self.folder / f"{name}.parquet") == self.inputs


def prepare(
    recipe: DataRecipe,
    home: Path,
    threads: int,
    repository: Path,
    limit: int | None = None,
    folder: Path | None = None,
) -> Path:
    """Prepare data, or go on preparing it, with progress bars.

    Args:
        recipe: what is read, and who finds faces.
        home: where data lives; a remote source is fetched into it.
        threads: how many images are looked at at once.
        repository: the model repository with the face detector.
        limit: take the first so many images of each split.
        folder: where the prepared data goes; None for its place under ``home``.

    Returns:
        The folder; ``load_fer2013`` reads it.

    Raises:
        DatasetError: the source can't be used.
        ModelFileError: the repository has no face detector.
    """
    preparation = plan(recipe, home, repository, limit, folder)
    if not preparation.is_done:
        carry_out(preparation, repository, threads)
    return preparation.folder


def plan(
    recipe: DataRecipe, home: Path, repository: Path, limit: int | None, folder: Path | None
) -> Preparation:
    """Fetch the source if it is remote, and say what is to be done; see ``prepare``."""
    source = fetch(recipe.source, home / "sources")
    place = folder or folder_of(recipe, home, limit)
    eyes = {
        "detector": identity_of(recipe.detector, repository),
        "settings": [asdict(CROP_SETTINGS), asdict(PHOTO_SETTINGS), asdict(LIMITS)],
        "reference_points": REFERENCE_POINTS,
    }
    facts = {"format": _FORMAT, "source": fingerprint(source), **eyes, "limit": limit}
    seen_by = _digest_of({"format": _FORMAT, **eyes})
    return Preparation(recipe, source, place, _digest_of(facts), seen_by, limit)


def carry_out(preparation: Preparation, repository: Path, threads: int) -> None:
    """Do what is left to be done; another process that does the same is waited for."""
    with own_turn(preparation.folder):
        if not preparation.is_done:
            _work(preparation, repository, threads)


def _work(preparation: Preparation, repository: Path, threads: int) -> None:
    # Imported here: matplotlib takes a second, and what is done already needs none.
    from training.data.quality.page import write_report  # noqa: PLC0415

    folder = preparation.folder
    (folder / _MANIFEST).unlink(missing_ok=True)
    samples = read_samples(preparation.source, preparation.limit, preparation.seen_by)
    finder = open_finder(preparation.recipe.detector, repository)
    for name in SPLITS:
        parts = parts_folder(folder, name)
        if not preparation.has(name):
            seen = look_at_split(name, samples[name], finder, threads, folder, preparation.inputs)
            _write(preparation, name, seen)
        if parts.is_dir():
            shutil.rmtree(parts)
    write_report(folder, _about(preparation))
    _write_manifest(preparation)


def folder_of(recipe: DataRecipe, home: Path, limit: int | None) -> Path:
    """Return where prepared data lives: experiments that read the same data share it."""
    if recipe == DataRecipe() and limit is None:
        return home / "data" / DEFAULT_NAME
    last = re.sub(r"[^A-Za-z0-9]+", "-", recipe.source.rstrip("/").rpartition("/")[2]).strip("-")
    parts = [last or "data", recipe.detector, *([f"first{limit}"] if limit else [])]
    mark = sha256(recipe.source.encode()).hexdigest()[:8]
    return home / "data" / "-".join([*parts, mark])


def _write(preparation: Preparation, name: str, seen: Part) -> None:
    if not seen.rows:
        raise DatasetError(f"{preparation.source}: {name}: not one image shows a face")
    train = set() if name == SPLITS[0] else _digests(preparation.folder, SPLITS[0])
    path = preparation.folder / f"{name}.parquet"
    write_split(path, seen.rows, seen.left_out, preparation.inputs, train, preparation.seen_by)


def _digest_of(facts: Mapping[str, object]) -> str:
    return sha256(json.dumps(facts).encode()).hexdigest()


def _digests(folder: Path, name: str) -> set[str]:
    table = pyarrow.parquet.read_table(folder / f"{name}.parquet", columns=["sha256"])
    return {str(digest) for digest in table["sha256"].to_pylist()}


def _about(preparation: Preparation) -> dict[str, str]:
    about = {
        "source": preparation.recipe.source,
        "face detector": preparation.recipe.detector,
    }
    if preparation.limit is not None:
        about["limit"] = f"the first {preparation.limit:,} images of each split"
    return about


def _write_manifest(preparation: Preparation) -> None:
    manifest = {
        "inputs": preparation.inputs,
        "source": preparation.recipe.source,
        "detector": preparation.recipe.detector,
        "limit": preparation.limit,
        "fingerprint": _fingerprint_of_rows(preparation.folder),
    }
    write_whole(preparation.folder / _MANIFEST, json.dumps(manifest, indent=2) + "\n")


def _fingerprint_of_rows(folder: Path) -> str:
    """Return the SHA-256 of all images and labels: the same however they were stored."""
    digest = sha256()
    for name in SPLITS:
        table = pyarrow.parquet.read_table(folder / f"{name}.parquet", columns=["sha256", "label"])
        pairs = zip(table["sha256"].to_pylist(), table["label"].to_pylist(), strict=True)
        digest.update("".join(f"{name} {pixels} {label}\n" for pixels, label in pairs).encode())
    return digest.hexdigest()
