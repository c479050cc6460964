"""What is named by a URI and read from where it lies: objects in S3, Google's store or Azure's.

Only read, and only by the client of that store: nothing here speaks HTTP to an address that a
caller chose. Endpoint and credentials come from the environment alone (AWS_*, GOOGLE_*, AZURE_*).
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Self

from emotion.errors import InvalidRequest
from service.object_stores import CLOCK, CREDENTIALS, REFUSED, WRONG_CLOCK
from service.storage_errors import StorageUnavailable

if TYPE_CHECKING:
    from obstore import GetOptions
    from obstore.store import ObjectStore

_URI = re.compile(r"(?P<scheme>s3|gs|az)://(?P<bucket>[a-z0-9][a-z0-9._-]{1,221})/(?P<key>.*)")
_MOST_URI = 1024 + 256  # Characters: the longest key of S3, and a bucket before it.
_CHUNK = 4 * 2**20
# The stores' client lists all of a page or nothing.
_ODD_KEY = "Encountered object with invalid path"
_MISSING = re.compile(r"NoSuchBucket|404 Not Found")


@dataclass(frozen=True, slots=True)
class Location:
    """Where an object lies, or, where ``key`` is empty or ends in a slash, several.

    Attributes:
        scheme: ``s3``, ``gs`` or ``az``.
        bucket: Azure calls it a container.
        key: in the bucket.
    """

    scheme: str
    bucket: str
    key: str

    @classmethod
    def of(cls, uri: str) -> Self:
        """Read a URI: ``s3://BUCKET/KEY``, ``gs://BUCKET/KEY`` or ``az://CONTAINER/KEY``.

        The key is taken as it is written: nothing in it is decoded.

        Raises:
            InvalidRequest: it is none, or its key is no plain path.
        """
        match = _URI.fullmatch(uri) if len(uri) <= _MOST_URI else None
        if match is None:
            raise InvalidRequest(
                f"uri: {uri[:64]!r} is none that can be read. Give s3://BUCKET/KEY, "
                "gs://BUCKET/KEY or az://CONTAINER/KEY."
            )
        names = match["key"].removesuffix("/").split("/") if match["key"] else []
        if not all(name.isprintable() and name not in ("", ".", "..") for name in names):
            raise InvalidRequest(
                f"uri: {uri[:64]!r} has a key that is no plain path: no part of it may be empty, "
                "'.' or '..', or have a character that isn't printable."
            )
        return cls(match["scheme"], match["bucket"], match["key"])

    @property
    def is_prefix(self) -> bool:
        """Whether it names all objects below it, and not one."""
        return not self.key or self.key.endswith("/")

    @property
    def name(self) -> str:
        """The last part of the key."""
        return self.key.removesuffix("/").rpartition("/")[2]

    def is_below(self, other: "Location") -> bool:
        """Return whether it is another, or lies in it as a file in a folder."""
        folder = other.key if other.is_prefix else f"{other.key}/"
        return (self.scheme, self.bucket) == (other.scheme, other.bucket) and (
            self.key == other.key or self.key.startswith(folder)
        )

    def at(self, key: str) -> "Location":
        """Return where another object of this bucket lies."""
        return Location(self.scheme, self.bucket, key)

    def __str__(self) -> str:
        """Return the URI."""
        return f"{self.scheme}://{self.bucket}/{self.key}"


def allowed_location(uri: str, prefixes: Sequence[Location]) -> Location:
    """Return where a URI leads, if it is below one of some prefixes.

    Raises:
        InvalidRequest: it is not, or is no URI that can be read.
    """
    location = Location.of(uri)
    if not any(location.is_below(prefix) for prefix in prefixes):
        raise InvalidRequest(
            f"uri: {uri[:64]!r} is not below any prefix that may be read here. RAPT_SOURCES names "
            "those."
        )
    return location


@dataclass(frozen=True, slots=True)
class Found:
    """An object as it was when it was looked for.

    Attributes:
        location: where.
        size: bytes.
        etag: changes when its content does.
    """

    location: Location
    size: int
    etag: str


class Sources:
    """Reads objects.

    Every method may raise ``StorageUnavailable``, and ``InvalidRequest`` where there is nothing, or
    no right to read it.
    """

    def __init__(self) -> None:
        """Connect to nothing yet."""
        self._stores: dict[tuple[str, str], ObjectStore] = {}

    def find(self, location: Location) -> Found:
        """Look for one object."""
        with self._store_of(location) as store:
            meta = store.head(location.key)
        return Found(location, meta["size"], meta["e_tag"] or "")

    def below(self, prefix: Location) -> Iterator[Found]:
        """Give the objects below a prefix, in no order; what has no bytes is left out."""
        with self._store_of(prefix) as store:
            for page in store.list(prefix.key or None):
                for meta in page:
                    if meta["size"]:
                        place = prefix.at(meta["path"])
                        yield Found(place, meta["size"], meta["e_tag"] or "")

    def chunks(self, found: Found, start: int = 0) -> Iterator[bytes]:
        """Read an object from a byte on.

        Raises:
            InvalidRequest: it is not the one any more that was found.
        """
        # Some stores refuse a range that begins at the end.
        if start >= found.size:
            return
        with self._store_of(found.location) as store:
            options: GetOptions = {"range": {"offset": start}}
            if found.etag:
                options["if_match"] = found.etag
            got = store.get(found.location.key, options=options)
            yield from map(bytes, got.stream(min_chunk_size=_CHUNK))

    @contextmanager
    def _store_of(self, location: Location) -> "Iterator[ObjectStore]":
        with _source_errors(location):
            bucket = location.scheme, location.bucket
            if bucket not in self._stores:
                self._stores[bucket] = _opened(*bucket)
            yield self._stores[bucket]


@contextmanager
def _source_errors(location: Location) -> Iterator[None]:
    """Tell a failure of a store in our words."""
    # Imported late, as the client itself: who only reads a URI needs none of it.
    from obstore.exceptions import BaseError, PreconditionError  # noqa: PLC0415

    try:
        yield
    except PreconditionError as error:
        raise InvalidRequest(f"{location} was changed while it was read. Send it again.") from error
    except FileNotFoundError as error:
        raise _missing(location) from error
    except PermissionError as error:
        raise _refused(location) from error
    # What a store is given in the environment and can't use is a ValueError.
    except (BaseError, ValueError) as error:
        if CLOCK in str(error):
            raise StorageUnavailable(
                f"{location.scheme}://{location.bucket}: {WRONG_CLOCK}"
            ) from None
        if REFUSED.search(str(error)):
            raise _refused(location) from error
        if _ODD_KEY in str(error):
            raise InvalidRequest(
                f"Below {location} lies an object whose key has an empty part, '.' or '..': "
                "nothing there can be listed. Rename it, or take a prefix that it isn't below."
            ) from error
        if _MISSING.search(str(error)):
            raise _missing(location) from error
        # Without what the client says: it names the object, and this goes into the log.
        why = str(error).partition("\n")[0].rpartition(" - ")[2]
        raise StorageUnavailable(
            f"{location.scheme}://{location.bucket} doesn't answer: {why[:200]}"
        ) from None


def _missing(location: Location) -> InvalidRequest:
    return InvalidRequest(f"There is no {location}. Send it again when it is there.")


def _refused(location: Location) -> InvalidRequest:
    return InvalidRequest(
        f"{location} may not be read. Give the service the right to; who it is is said by "
        f"{CREDENTIALS[location.scheme]} in its environment."
    )


def _opened(scheme: str, bucket: str) -> "ObjectStore":
    from obstore.store import AzureStore, GCSStore, S3Store  # noqa: PLC0415

    kinds: dict[str, type[S3Store | GCSStore | AzureStore]]
    kinds = {"s3": S3Store, "gs": GCSStore, "az": AzureStore}
    return kinds[scheme](
        bucket,
        # An endpoint without TLS is the choice of who set it; a large object takes its time.
        client_options={
            "allow_http": True,
            "connect_timeout": "5s",
            "read_timeout": "30s",
            "timeout": "1h",
        },
        retry_config={"max_retries": 2, "retry_timeout": timedelta(seconds=20)},
    )
