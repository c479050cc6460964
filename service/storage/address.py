"""The URL of a bucket, and of what lies under a prefix in it."""

import re
from dataclasses import dataclass
from typing import Self

from service.object_stores import CREDENTIALS

_URL = re.compile(r"(?P<scheme>s3|gs|az)://(?P<bucket>[^/]*)/?(?P<prefix>.*)", re.DOTALL)
# Nothing in which a password, a key or a signature could be.
_BUCKET = re.compile(r"[a-z0-9][a-z0-9._-]{1,221}")
_NAME = re.compile(r"[A-Za-z0-9._=-]+")


@dataclass(frozen=True, slots=True)
class BucketAddress:
    """Where objects lie.

    Attributes:
        scheme: whose store it is: s3, gs (Google) or az (Azure).
        bucket: its name; Azure's word is container.
        prefix: before each key, without slashes at its ends; may be empty.
    """

    scheme: str
    bucket: str
    prefix: str

    @classmethod
    def parse(cls, url: str) -> Self:
        """Read a URL.

        Raises:
            ValueError: it is none of a bucket, or has more in it, as a key; doesn't repeat it.
        """
        match = _URL.fullmatch(url)
        if match is None:
            raise ValueError("give s3://BUCKET/PREFIX, gs://BUCKET/PREFIX or az://CONTAINER/PREFIX")
        prefix = match["prefix"].removesuffix("/")
        names = prefix.split("/") if prefix else []
        if not _BUCKET.fullmatch(match["bucket"]) or not all(map(_is_plain, names)):
            raise ValueError(
                "only a bucket and a plain prefix belong in it; credentials come from the "
                f"environment ({CREDENTIALS[match['scheme']]})"
            )
        return cls(match["scheme"], match["bucket"], prefix)

    def __str__(self) -> str:
        """Return the URL."""
        return f"{self.scheme}://{self.bucket}/{self.prefix}".removesuffix("/")


def _is_plain(name: str) -> bool:
    return _NAME.fullmatch(name) is not None and name not in (".", "..")
