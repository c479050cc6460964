"""The folder that pulled versions of the classifier are placed in.

It is laid out like the built-in repository, and complete at every moment: whatever ends a pull,
a reader finds the old version or the new one. Version folders are numbered upwards, and the
highest is served (Triton's policy ``latest``), so a rollback in the registry is a new number
here.
"""

import fcntl
import json
import os
import shutil
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from emotion.checksums import digest_of, read_checksums
from emotion.contract import CLASSIFIER_NAME, MODEL_FILE
from emotion.errors import ContractMismatch, ModelUnavailable
from emotion.model_config import names_in, with_names
from service.models.onnx import load_classifier
from service.models.repository import (
    CHECKSUM_FILE,
    CONFIG_FILE,
    LABELS_FILE,
    RepositoryModel,
    versions_of,
)

_RECORD_FILE = "registry.json"
# Hidden, and no number: neither we nor Triton take it for a version.
_DRAFT, _GONE = ".draft", ".gone"
_LOCK_SECONDS = 60.0
_LOCK_POLL_SECONDS = 0.1
_README = """\
# Models

Placed here by `rapt models pull`. The service verifies these before it loads a model. By hand:
`sha256sum --check README.md`.

```
{lines}
```
"""


class InstalledModels:
    """A model repository that classifiers are placed in."""

    def __init__(self, folder: Path, built_in: Path, keep: int = 2) -> None:
        """Describe it; nothing is written yet.

        Args:
            folder: the repository; made when it is needed.
            built_in: the repository that labels and configuration are copied from.
            keep: good versions that stay, the newest included.
        """
        self.folder = folder
        self.built_in = built_in
        self._model = folder / CLASSIFIER_NAME
        self._keep = keep

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep every other process from placing while the block runs.

        Raises:
            ModelUnavailable: another one is at it for too long.
            OSError: the folder can't be made.
        """
        self._model.mkdir(parents=True, exist_ok=True)
        # The lock is on the folder itself and ends with the process: no file is left behind.
        descriptor = os.open(self.folder, os.O_RDONLY)
        try:
            _lock(descriptor, self.folder)
            yield
        finally:
            os.close(descriptor)

    def newest(self) -> RepositoryModel | None:
        """Return the one with the highest number, without its content; None where it is no good."""
        return self._good(None)

    @property
    def registry_versions(self) -> set[str]:
        """What the versions here are in the registry."""
        found = (registry_version_in(self._folder_of(one)) for one in versions_of(self._model))
        return {version for version in found if version is not None}

    @contextmanager
    def draft(self) -> Iterator[Path]:
        """Give an empty folder on the same disk for a file on its way; under the lock."""
        draft = self._model / _DRAFT
        for left in (draft, self._model / _GONE):
            _remove(left)
        draft.mkdir()
        try:
            yield draft
        finally:
            shutil.rmtree(draft, ignore_errors=True)

    def place(
        self,
        content: bytes,
        version: str,
        registry_version: str,
        withdrawn: Collection[str] = (),
    ) -> int:
        """Make a file the newest version; delete what is too old, damaged or withdrawn.

        Under the lock.

        Args:
            content: an ONNX file that has been found to keep the contract.
            version: what it says it is.
            registry_version: what it is in the registry.
            withdrawn: versions of the registry that nothing should fall back to.

        Returns:
            The number of its folder.

        Raises:
            OSError: the disk is full, or not to be written to.
        """
        number = max(versions_of(self._model), default=0) + 1
        with self.draft() as draft:
            _write(draft / MODEL_FILE, content)
            _write(draft / _RECORD_FILE, _record_of(registry_version))
            labels = (self.built_in / CLASSIFIER_NAME / LABELS_FILE).read_bytes()
            _replace(self._model / LABELS_FILE, labels)
            self._configure({number: version})
            self._list({number: digest_of(content)})
            draft.rename(self._folder_of(number))
            _sync(self._model)
        self._delete_old(withdrawn)
        return number

    def record(self, number: int, registry_version: str) -> None:
        """Note that a version is, by now, this one in the registry; under the lock."""
        _replace(self._folder_of(number) / _RECORD_FILE, _record_of(registry_version))

    def _delete_old(self, withdrawn: Collection[str]) -> None:
        *older, newest = versions_of(self._model)
        good = [
            number
            for number in older
            if self._good(number) and registry_version_in(self._folder_of(number)) not in withdrawn
        ]
        kept = [*good, newest][-self._keep :]
        for number in set(older).difference(kept):
            # Renamed first, so that no reader finds half a version.
            gone = self._folder_of(number).rename(self._model / _GONE)
            _remove(gone)
        self._configure({})
        self._list({})

    def _good(self, number: int | None) -> RepositoryModel | None:
        """Return a version as ``load_classifier`` finds it; None where it can't be served."""
        try:
            return load_classifier(self.folder, number).source
        except ContractMismatch:
            return None

    def _configure(self, added: dict[int, str]) -> None:
        """Write the configuration: the built-in one, with the names of the versions here."""
        file = self._model / CONFIG_FILE
        # It may be damaged, as the checksums below.
        text = file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""
        named = names_in(text)
        names = {n: named[n] for n in versions_of(self._model) if n in named}
        built_in = (self.built_in / CLASSIFIER_NAME / CONFIG_FILE).read_text(encoding="utf-8")
        _replace(file, with_names(built_in, names | added).encode())

    def _list(self, added: dict[int, str]) -> None:
        """Write the checksums: those of other models, of versions that are there, and new ones."""
        readme = self.folder / CHECKSUM_FILE
        # It may be damaged: bytes that are no UTF-8 list nothing.
        text = readme.read_text(encoding="utf-8", errors="replace") if readme.exists() else ""
        mine = f"{CLASSIFIER_NAME}/"
        present = {self._place_of(number) for number in versions_of(self._model)}
        lines = {
            place: digest
            for place, digest in read_checksums(text).items()
            if not place.startswith(mine) or place in present
        }
        lines |= {self._place_of(number): digest for number, digest in added.items()}
        listed = "\n".join(f"{digest}  {place}" for place, digest in lines.items())
        _replace(readme, _README.format(lines=listed).encode())

    def _folder_of(self, number: int) -> Path:
        return self._model / str(number)

    @staticmethod
    def _place_of(number: int) -> str:
        return f"{CLASSIFIER_NAME}/{number}/{MODEL_FILE}"


def _record_of(registry_version: str) -> bytes:
    return json.dumps({"name": CLASSIFIER_NAME, "version": registry_version}).encode()


def registry_version_in(folder: Path) -> str | None:
    """Return what a version is in the registry; None where it didn't come from there."""
    try:
        record = json.loads((folder / _RECORD_FILE).read_bytes())
        return str(record["version"])
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _lock(descriptor: int, folder: Path) -> None:
    end = time.monotonic() + _LOCK_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() > end:
                raise ModelUnavailable(
                    f"Another pull has been at work in {folder} for {_LOCK_SECONDS:.0f} s. "
                    "Try again when it has ended."
                ) from error
            time.sleep(_LOCK_POLL_SECONDS)
        else:
            return


def _replace(file: Path, content: bytes) -> None:
    """Write a file so that a reader finds the old content or the new, and never a part."""
    if file.exists() and file.read_bytes() == content:
        return
    draft = file.with_name(f".{file.name}")
    try:
        _write(draft, content)
        draft.replace(file)
    except OSError:
        # On a full disk even a part of it is in the way.
        draft.unlink(missing_ok=True)
        raise
    _sync(file.parent)


def _remove(path: Path) -> None:
    """Delete a version, or what lies in its place: a file or a link may have its name."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _write(file: Path, content: bytes) -> None:
    """Write a file, and wait until it is on the disk."""
    with file.open("wb") as opened:
        opened.write(content)
        opened.flush()
        os.fsync(opened.fileno())


def _sync(folder: Path) -> None:
    """Wait until what was renamed in a folder is on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
