"""The photos of a set, wherever they lie: in a zip, below a prefix of a bucket, or one alone."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from emotion.errors import Stopped
from emotion.photo_set.archive import (
    HEAD_BYTES,
    PhotoSetLimits,
    check_photo,
    check_set,
    is_photo_name,
    is_zip,
    open_archive,
    shown,
)
from service.jobs.job import Job
from service.sources import Found, Location, Sources

# Returns the bytes of a photo by its number; raises InputError where it can't be used, and
# StorageUnavailable where it can't be read now.
Read = Callable[[int], bytes]


class Photos(Protocol):
    """A set.

    Attributes:
        names: of its photos, in order.
    """

    @property
    def names(self) -> Sequence[str]: ...  # noqa: D102  # see the class

    def reading(self) -> AbstractContextManager[Read]:
        """Have photos read while the block runs."""
        ...


class ZipPhotos:
    """``Photos`` of a zip on this machine."""

    def __init__(self, path: Path, limits: PhotoSetLimits) -> None:
        """Look into it; see ``emotion.photo_set.archive.open_archive``."""
        self._path = path
        self._limits = limits
        with open_archive(path, limits) as archive:
            self.names: Sequence[str] = archive.names

    @contextmanager
    def reading(self) -> Iterator[Read]:
        """Open it."""
        with open_archive(self._path, self._limits) as archive:
            yield archive.read


class OnePhoto:
    """``Photos`` of a file that is one, or is at least no zip."""

    def __init__(self, path: Path, name: str, limits: PhotoSetLimits) -> None:
        """Look at nothing yet."""
        self._path = path
        self._limits = limits
        self.names: Sequence[str] = (shown(name),)

    @contextmanager
    def reading(self) -> Iterator[Read]:
        """Read it when it is asked for."""
        yield self._read

    def _read(self, _: int) -> bytes:
        check_photo(self._path.stat().st_size, self._limits)
        return self._path.read_bytes()


@dataclass(frozen=True, slots=True)
class BucketPhotos:
    """``Photos`` below a prefix, as they were listed when the work began.

    Attributes:
        sources: read them.
        prefix: below which they lie.
        found: each of them, in order of name.
        limits: of each.
    """

    sources: Sources
    prefix: Location
    found: Sequence[Found]
    limits: PhotoSetLimits

    @property
    def names(self) -> Sequence[str]:
        """Their keys below the prefix."""
        return [shown(one.location.key.removeprefix(self.prefix.key)) for one in self.found]

    @contextmanager
    def reading(self) -> Iterator[Read]:
        """Read each when it is asked for."""
        yield self._read

    def _read(self, number: int) -> bytes:
        photo = self.found[number]
        check_photo(photo.size, self.limits)
        return b"".join(self.sources.chunks(photo))


def listed(
    sources: Sources, prefix: Location, limits: PhotoSetLimits, should_stop: Callable[[], bool]
) -> list[Found]:
    """Return the photos below a prefix, in order of name.

    Raises:
        InputError: there are none, or too many, or the prefix may not be read.
        Stopped: ``should_stop`` said so.
        StorageUnavailable: the store doesn't answer.
    """
    found: list[Found] = []
    for one in sources.below(prefix):
        if should_stop():
            raise Stopped("It was told to, while the photos were listed.")
        if is_photo_name(one.location.key.removeprefix(prefix.key)):
            found.append(one)
        if len(found) > limits.max_photos:
            break
    check_set([one.size for one in found], limits)
    return sorted(found, key=lambda one: one.location.key)


def as_manifest(photos: Sequence[Found]) -> bytes:
    """Return what was listed as bytes; see ``photos_of``."""
    return json.dumps([[one.location.key, one.size, one.etag] for one in photos]).encode()


def photos_of(path: Path, job: Job, limits: PhotoSetLimits, sources: Sources) -> Photos:
    """Return the photos of a job.

    Args:
        path: of its input: a zip, a photo, or a list of what lies below a prefix.
        job: the job.
        limits: of the set.
        sources: read what lies elsewhere.

    Raises:
        InputError: it is a zip that can't be used.
    """
    location = None if job.uri is None else Location.of(job.uri)
    if location is not None and location.is_prefix:
        rows = json.loads(path.read_bytes())
        found = [Found(location.at(key), size, etag) for key, size, etag in rows]
        return BucketPhotos(sources, location, found, limits)
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if location is None or is_zip(head):
        return ZipPhotos(path, limits)
    return OnePhoto(path, location.name, limits)
