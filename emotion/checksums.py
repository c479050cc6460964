"""Checksums of model files, kept in the model repository's README.

The README holds lines in the form that ``sha256sum`` writes, so that people read them,
``sha256sum --check README.md`` checks them, and the service verifies what it loads.
"""

import re
from hashlib import sha256

_LINE = re.compile(r"^(?P<digest>[0-9a-f]{64})  (?P<path>\S+)$", re.MULTILINE)


def digest_of(content: bytes) -> str:
    """Return the SHA-256 of a file's content in hex."""
    return sha256(content).hexdigest()


def read_checksums(readme: str) -> dict[str, str]:
    """Return the SHA-256 in hex of each listed path, relative to the README."""
    return {match["path"]: match["digest"] for match in _LINE.finditer(readme)}


def with_checksum(readme: str, path: str, digest: str) -> str:
    """Return the README's text with the line of ``path`` set to ``digest``.

    Raises:
        KeyError: the README has no line for the path.
    """
    if path not in read_checksums(readme):
        raise KeyError(path)
    return _LINE.sub(
        lambda match: f"{digest}  {path}" if match["path"] == path else match[0], readme
    )
