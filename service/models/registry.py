"""The model registry: MLflow, of which one file of one version is wanted, and nothing else.

MLflow's client costs 2 s and 80 MB, so it is imported only when a registry is opened.
"""

import errno
import os
import re
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from emotion.contract import (
    CHAMPION,
    CLASSIFIER_NAME,
    DIGEST_TAG,
    MODEL_FILE,
    ROLLED_BACK_TAG,
    TRIAL_TAG,
)
from emotion.errors import InvalidRequest, ModelError, RaptError

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

VARIABLE = "MLFLOW_TRACKING_URI"

# MLflow's own would have somebody wait 247 s for a server that is gone.
_DEFAULTS = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1", "MLFLOW_HTTP_REQUEST_TIMEOUT": "10"}
_ABSENT = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")
_DENIED = ("CUSTOMER_UNAUTHORIZED", "PERMISSION_DENIED", "UNAUTHENTICATED")
# MLflow tells of a file that it can't write by the text of the error alone.
_FILE_ERROR = re.compile(r"^\[Errno (\d+)\] ", re.MULTILINE)
_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)


class RegistryMisconfigured(InvalidRequest):
    """No registry is set, or what is set is no server's address."""


class RegistryUnreachable(ModelError):
    """The registry does not answer, or not as a registry does, or not to us."""


class NoChampion(ModelError):
    """The registry answers, and no version in it is champion."""


class ChampionRefused(ModelError):
    """The registry's champion may not be served."""

    def __init__(self, message: str, version: str | None = None) -> None:
        """Add the champion's number in the registry, where it is known."""
        super().__init__(message)
        self.version = version


@dataclass(frozen=True, slots=True)
class Champion:
    """The version that the alias points to.

    Attributes:
        version: its number in the registry.
        digest: the SHA-256 that was recorded when it was registered, in hex.
    """

    version: str
    digest: str


def registry_uri() -> str | None:
    """Return the registry's address; None where none is set."""
    return os.environ.get(VARIABLE) or None


class ModelRegistry:
    """An MLflow server, asked over its client."""

    def __init__(self, uri: str) -> None:
        """Open it; it is not asked anything yet.

        Raises:
            RegistryMisconfigured: it is no server's address.
        """
        self._uri = uri.strip()
        self._address = server_address(self._uri)
        self._client = self._open()

    def champion(self) -> Champion:
        """Look up which version is champion.

        Raises:
            RegistryUnreachable: it does not answer.
            NoChampion: there is none.
            ChampionRefused: it is a trial, or its checksum was not recorded.
        """
        with self._translated():
            found = self._client.get_model_version_by_alias(CLASSIFIER_NAME, CHAMPION)
        version, digest = str(found.version), found.tags.get(DIGEST_TAG)
        if TRIAL_TAG in found.tags:
            raise ChampionRefused(
                f"Version {version} of {CLASSIFIER_NAME} in {self._address} is a trial (it learnt "
                "from a cut of the data) and is never served. Promote another: "
                "python -m training promote.",
                version,
            )
        if not digest:
            raise ChampionRefused(
                f"Version {version} of {CLASSIFIER_NAME} in {self._address} has no tag "
                f"{DIGEST_TAG!r} to check its file by. Register it anew.",
                version,
            )
        return Champion(version, digest)

    def fetch(self, champion: Champion, folder: Path) -> bytes:
        """Return the bytes of a version's ONNX file; no other file of it is taken.

        Args:
            champion: the version.
            folder: an empty folder that the file is written to on its way.

        Raises:
            RegistryUnreachable: it does not answer.
            ChampionRefused: the version has no such file.
            OSError: the disk is full, or not to be written to.
        """
        from mlflow.artifacts import download_artifacts  # noqa: PLC0415  # see above

        with self._translated(champion.version):
            # Not models:/NAME/VERSION, for which MLflow asks the registry that is its default.
            source = self._client.get_model_version_download_uri(CLASSIFIER_NAME, champion.version)
            place = download_artifacts(
                f"{source}/{MODEL_FILE}",
                dst_path=str(folder),
                tracking_uri=self._uri,
                registry_uri=self._uri,
            )
        if not Path(place).is_file():
            raise ChampionRefused(
                f"Version {champion.version} has no file {MODEL_FILE}.", champion.version
            )
        return Path(place).read_bytes()

    def withdrawn(self, versions: Collection[str]) -> set[str]:
        """Return which of some versions were champion and have been taken back.

        Args:
            versions: their numbers in the registry; one that is gone from it counts as good.

        Raises:
            RegistryUnreachable: it does not answer.
        """
        return {version for version in versions if ROLLED_BACK_TAG in self._tags_of(version)}

    def _tags_of(self, version: str) -> dict[str, str]:
        try:
            with self._translated():
                found = self._client.get_model_version(CLASSIFIER_NAME, version)
        except NoChampion:
            return {}
        return dict(found.tags)

    def _open(self) -> "MlflowClient":
        for name, value in _DEFAULTS.items():
            os.environ.setdefault(name, value)
        shown = str(sys.stderr.isatty()).lower()
        os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", shown)
        from mlflow import MlflowClient  # noqa: PLC0415  # see above

        return MlflowClient(self._uri, self._uri)

    @contextmanager
    def _translated(self, version: str | None = None) -> Iterator[None]:
        """Say what MLflow's errors mean, about a version where one is known."""
        from mlflow.exceptions import MlflowException  # noqa: PLC0415  # see above

        try:
            yield
        except MlflowException as error:
            if (code := _disk_error_in(error)) is not None:
                raise OSError(code, os.strerror(code)) from error
            raise self._meaning_of(error, version) from error
        except OSError as error:
            # Its HTTP library's errors are of this kind, without a number; the disk's have one.
            if error.errno is not None:
                raise
            raise self._unreachable(f"{error}.") from error

    def _meaning_of(self, error: "MlflowException", version: str | None) -> RaptError:
        reason = _reason_in(error).replace(self._uri, self._address)
        if error.error_code in _ABSENT:
            return NoChampion(
                f"{CLASSIFIER_NAME} has no version with the alias {CHAMPION!r} in "
                f"{self._address}: {reason} Promote one: python -m training promote."
            )
        if error.error_code in _DENIED:
            return RegistryUnreachable(
                f"The registry {self._address} refuses access: {reason} "
                "Set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD."
            )
        if "404 Client Error" in error.message:
            return ChampionRefused(
                f"The champion has no file {MODEL_FILE} in {self._address}.", version
            )
        return self._unreachable(reason)

    def _unreachable(self, reason: str) -> RegistryUnreachable:
        return RegistryUnreachable(
            f"The model registry {self._address} does not answer: {reason} "
            f"Is `mlflow server` running there? It is set by {VARIABLE}."
        )


def _disk_error_in(error: "MlflowException") -> int | None:
    """Return the number of the disk's error that MLflow tells of; None where it is another."""
    found = _FILE_ERROR.search(error.message)
    return int(found[1]) if found and int(found[1]) in _DISK else None


def _reason_in(error: "MlflowException") -> str:
    """Return the heart of MLflow's message: one line, and no address with its password."""
    text = error.message.partition("\n")[0].rpartition("(Caused by ")[2]
    text = text.removeprefix(f"{error.error_code}: ").rpartition("): ")[2].rstrip('").')
    if "failed with error code" in text:
        text = "it is no MLflow server, or of another version"
    return f"{text}."


def server_address(uri: str) -> str:
    """Return a server's address as it may be shown: without credentials.

    A database would be opened by MLflow's client, and made where there is none: not by a reader.

    Raises:
        RegistryMisconfigured: it is no server's.
    """
    try:
        parts = urlsplit(uri)
        is_server = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_server = False
    if not is_server:
        # Not shown: it may hold a password anywhere.
        raise RegistryMisconfigured(
            f"{VARIABLE} is not the address of a server, as in http://localhost:5000. A registry "
            "in a database is served by `mlflow server --backend-store-uri`."
        )
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
