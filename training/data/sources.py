"""Where data comes from: a folder or file on this machine, or objects in S3 or Google's store.

Remote objects are fetched into a cache once; what is there already, with the size and ETag
that the store names, is not fetched again. Credentials and the endpoint come from the
environment alone (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_ENDPOINT_URL, AWS_REGION;
GOOGLE_APPLICATION_CREDENTIALS), so that they are in no configuration file and no log.
"""

import json
import os
import re
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from hashlib import sha256
from pathlib import Path

import obstore
from obstore.exceptions import BaseError
from obstore.store import ObjectStore, from_url
from tqdm import tqdm

from training.data.turns import own_turn
from training.errors import DatasetError

# What the readers read; whatever else lies under a prefix is left where it is.
SUFFIXES = frozenset(
    (".parquet", ".csv", ".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".heic")
)
_REMOTE = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?P<bucket>[^/]*)/?(?P<prefix>.*)", re.DOTALL
)
_BUCKET = re.compile(r"[a-z0-9][a-z0-9._-]{1,221}")
_CREDENTIALS = {
    "s3": "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    "gs": "GOOGLE_APPLICATION_CREDENTIALS",
}
# What the stores answer: S3's and Google's XML error codes, or a status where there is no XML.
_REFUSED = re.compile(
    r"SignatureDoesNotMatch|InvalidAccessKeyId|AccessDenied|InvalidToken|ExpiredToken"
    r"|40[13] (?:Unauthorized|Forbidden)|token request|lacked the necessary|credential",
    re.IGNORECASE,
)
_MISSING = re.compile(r"NoSuchBucket|404 Not Found")
_AT_ONCE = 8
_CHUNK = 2**20
_LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class _Object:
    """One object to have: its key, its place on this machine, and what it is known by."""

    key: str
    path: Path
    size: int
    etag: str


def fetch(source: str, cache: Path) -> Path:
    """Bring a source onto this machine, with a progress bar, and return where it lies.

    Args:
        source: a local folder or file, which is returned as it is; or ``s3://BUCKET/PREFIX``,
            ``gs://BUCKET/PREFIX``, where the prefix may also be one object's key.
        cache: the folder under which remote objects are kept.

    Raises:
        DatasetError: the source's form is unknown, access is refused, there is no such bucket,
            nothing lies under the prefix, or a key is no path that can be written here.
    """
    match = _REMOTE.fullmatch(source)
    if match is None:
        return Path(source).expanduser()
    scheme, bucket, prefix = match["scheme"], match["bucket"], match["prefix"].strip("/")
    if scheme not in _CREDENTIALS or not _BUCKET.fullmatch(bucket):
        raise DatasetError(f"{source}: give a local path, s3://BUCKET/PREFIX or gs://BUCKET/PREFIX")
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL", "")
    mark = sha256(f"{endpoint} {source}".encode()).hexdigest()[:12]
    folder = cache / f"{scheme}-{bucket}-{mark}"
    try:
        store = _open(scheme, bucket)
        objects = _objects(store, prefix, folder / "objects")
        if not objects:
            raise DatasetError(f"{source}: nothing to read under this prefix ({_kinds()})")
        with own_turn(folder):
            _Cache(folder).bring(store, objects)
    except (BaseError, ValueError, FileNotFoundError, PermissionError) as error:
        raise DatasetError(f"{source}: {_explain(error, scheme, bucket)}") from error
    except OSError as error:
        raise DatasetError(f"{source}: can't be kept in {folder}: {error.strerror}") from error
    is_one = len(objects) == 1 and objects[0].key == prefix
    return objects[0].path if is_one else folder / "objects"


def place_of(key: str, folder: Path) -> Path:
    """Return where an object is kept: its key as a path, never outside of ``folder``.

    Args:
        key: relative to the prefix. Whoever may write into the bucket chose it.
        folder: the cache's.

    Raises:
        DatasetError: no plain relative path of names.
    """
    names = key.split("/")
    if not all(_is_plain(name) for name in names):
        raise DatasetError(f"{key!a}: an object's key that is no plain path; rename the object")
    return folder.joinpath(*names)


def _is_plain(name: str) -> bool:
    return (
        0 < len(name.encode(errors="replace")) <= _LONGEST_NAME
        and name not in (".", "..")
        and name.isprintable()
        and "\\" not in name
    )


class _Cache:
    """Fetched objects, and a journal of what each is: a line an object, once it is whole."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._journal = folder / "fetched.jsonl"

    def bring(self, store: ObjectStore, objects: list[_Object]) -> None:
        """Make the cache hold exactly these objects."""
        (self._folder / "objects").mkdir(parents=True, exist_ok=True)
        self._drop_others({item.path for item in objects})
        known = self._known()
        missing = [item for item in objects if not _is_whole(item, known)]
        if not missing:
            return
        total = sum(item.size for item in missing)
        with (
            self._journal.open("a", encoding="utf-8") as journal,
            tqdm(total=total, desc="fetching", unit="B", unit_scale=True) as progress,
        ):
            journal.write("\n")  # ends a line that a killed process left unfinished
            for item in _each(partial(self._fetch, store), missing):
                facts = [item.key, item.size, item.etag]
                journal.write(json.dumps(facts) + "\n")
                journal.flush()
                progress.update(item.size)

    def _fetch(self, store: ObjectStore, item: _Object) -> _Object:
        draft = self._folder / f"{sha256(item.key.encode()).hexdigest()}.part"
        with draft.open("wb") as file:
            for chunk in obstore.get(store, item.key).stream(min_chunk_size=_CHUNK):
                file.write(chunk)
        if draft.stat().st_size != item.size:
            raise DatasetError(f"{item.key}: changed while it was fetched; prepare again")
        item.path.parent.mkdir(parents=True, exist_ok=True)
        draft.replace(item.path)
        return item

    def _known(self) -> dict[str, tuple[int, str]]:
        if not self._journal.exists():
            return {}
        known = {}
        for line in self._journal.read_text(encoding="utf-8").splitlines():
            try:
                key, size, etag = json.loads(line)
            except ValueError:  # Empty, or left unfinished by a process that was killed.
                continue
            known[key] = (size, etag)
        return known

    def _drop_others(self, wanted: set[Path]) -> None:
        """Remove what the store no longer has, or it would be learnt from."""
        for path in (self._folder / "objects").rglob("*"):
            if path.is_file() and path not in wanted:
                path.unlink()


def _is_whole(item: _Object, known: dict[str, tuple[int, str]]) -> bool:
    try:
        size = item.path.stat().st_size
    except OSError:
        return False
    return known.get(item.key) == (item.size, item.etag) and size == item.size


def _each(fetch_one: Callable[[_Object], _Object], items: list[_Object]) -> Iterable[_Object]:
    pool = ThreadPoolExecutor(_AT_ONCE)
    try:
        yield from pool.map(fetch_one, items)
    finally:
        pool.shutdown(cancel_futures=True)


def _open(scheme: str, bucket: str) -> ObjectStore:
    return from_url(
        f"{scheme}://{bucket}",
        # An endpoint without TLS is the choice of who set it; a large object takes its time.
        client_options={
            "allow_http": True,
            "connect_timeout": "5s",
            "read_timeout": "30s",
            "timeout": "1h",
        },
        retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=30)},
    )


def _objects(store: ObjectStore, prefix: str, folder: Path) -> list[_Object]:
    """List what is to be had under a prefix, or the one object of that key."""
    found = []
    for page in obstore.list(store, prefix or None):
        for meta in page:
            key = meta["path"]
            if Path(key).suffix.lower() in SUFFIXES:
                path = place_of(key.removeprefix(f"{prefix}/"), folder)
                found.append(_Object(key, path, meta["size"], meta["e_tag"] or ""))
    if not found and Path(prefix).suffix.lower() in SUFFIXES:
        meta = obstore.head(store, prefix)
        path = place_of(prefix.rpartition("/")[2], folder)
        found = [_Object(prefix, path, meta["size"], meta["e_tag"] or "")]
    return sorted(found, key=lambda item: item.key)


def _explain(error: Exception, scheme: str, bucket: str) -> str:
    message = str(error)
    if _REFUSED.search(message):
        return f"access is refused. Check {_CREDENTIALS[scheme]} in the environment"
    if "NoSuchBucket" in message:
        return f"there is no bucket {bucket}"
    if "error sending request" in message:
        return "the store doesn't answer. Check the network, and AWS_ENDPOINT_URL where it is set"
    if _MISSING.search(message):
        return "there is no such object"
    return f"can't be read: {message.partition(chr(10))[0]}"


def _kinds() -> str:
    return ", ".join(sorted(suffix[1:] for suffix in SUFFIXES))
