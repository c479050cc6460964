"""What jobs are about, as files of this machine: sent and kept, or read from where it lies."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile, gettempdir
from typing import IO, TypeVar

from emotion.errors import InvalidRequest, Stopped
from service.jobs.accepted import accepted_of
from service.jobs.claims import Claim, Claims
from service.jobs.patience import Patience
from service.jobs.photos import as_manifest, listed
from service.jobs.requests import location_of
from service.settings import Settings
from service.sources import Found, Location, Sources
from service.storage.objects import ObjectStore, Tries
from service.storage_errors import StorageFull, storage_errors

T = TypeVar("T")
_TOLD = "It was told to, while the input was read."


@dataclass(frozen=True, slots=True)
class Inputs:
    """Opens them.

    Attributes:
        claims: note what was read.
        store: of what was sent.
        sources: of what lies elsewhere.
        patience: tries again where one of these fails.
        settings: what may be read, and how much.
    """

    claims: Claims
    store: ObjectStore
    sources: Sources
    patience: Patience
    settings: Settings

    @contextmanager
    def as_local_file(self, claim: Claim, should_stop: Callable[[], bool]) -> Iterator[Path]:
        """Give a job's input as a file of this machine, to be read while the block runs.

        Raises:
            FileNotFoundError: it was sent, and is gone.
            InputError: it lies elsewhere, and can't be read or is too large.
            Stopped: ``should_stop`` said so.
            ClaimLost: see there.
            StorageFull: there is no room for it here.
            StorageUnavailable: its store doesn't answer.
        """
        tries = self._while_wanted(should_stop)
        if claim.job.uri is None:
            with self.store.as_local_file(claim.job.source, tries) as path:
                yield path
            return
        location = location_of(claim.job.kind, claim.job.uri, self.settings)
        if location.is_prefix:
            self._list(claim, location, should_stop)
            with self.store.as_local_file(claim.job.source, tries) as path:
                yield path
            return
        found = self._find(claim, location)
        # It has no name, so that whatever ends this process, nothing of it stays.
        with TemporaryFile() as file:
            self.patience.run(lambda: self._fetch(found, file, should_stop))
            yield Path(f"/proc/self/fd/{file.fileno()}")

    def _while_wanted(self, should_stop: Callable[[], bool]) -> Tries:
        def tries(work: Callable[[], T]) -> T:
            if should_stop():
                raise Stopped(_TOLD)
            return self.patience.run(work)

        return tries

    def _list(self, claim: Claim, prefix: Location, should_stop: Callable[[], bool]) -> None:
        """Note what lies below a prefix now, in the upload's place, unless that is done already."""
        try:
            self.patience.run(lambda: self.store.read(claim.job.source))
        except FileNotFoundError:
            photos = self.patience.run(
                lambda: listed(self.sources, prefix, self.settings.photo_set_limits, should_stop)
            )
            size = sum(one.size for one in photos)
            self.patience.run(lambda: self.claims.pin_input(claim, size, ""))
            self.patience.run(lambda: self.store.write(claim.job.source, as_manifest(photos)))

    def _find(self, claim: Claim, location: Location) -> Found:
        """Look for an input, and have it be the same whenever the work goes on."""
        found = self.patience.run(lambda: self.sources.find(location))
        if claim.job.source_etag not in (None, found.etag):
            raise InvalidRequest(
                f"{location} was changed after the work on it had begun. Send it again."
            )
        accepted_of(claim.job.kind, self.settings).check_size(found.size)
        self.patience.run(lambda: self.claims.pin_input(claim, found.size, found.etag))
        return found

    def _fetch(self, found: Found, file: IO[bytes], should_stop: Callable[[], bool]) -> None:
        """Copy an object into a file, from where the last try ended."""
        with storage_errors():
            self._check_room(found.size - file.tell())
            for chunk in self.sources.chunks(found, file.tell()):
                if should_stop():
                    raise Stopped(_TOLD)
                file.write(chunk)
            file.flush()

    def _check_room(self, expected: int) -> None:
        folder = gettempdir()
        if shutil.disk_usage(folder).free - expected < self.settings.min_free_bytes:
            raise StorageFull(f"There is no room in {folder}; TMPDIR names another folder.")
