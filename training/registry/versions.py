"""Versions of the registered model ``emotion_classifier``: every file that could be served.

A candidate's two files become two versions. A version's tags say what it is: the file's
SHA-256, its precision, the model's own version, the data, the commit, its figures on val. The
alias ``challenger`` is on the one to be served of the candidate that came last.
"""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnx
from mlflow.artifacts import download_artifacts
from mlflow.exceptions import MlflowException

from emotion.checksums import digest_of
from emotion.contract import (
    CHALLENGER,
    CHAMPION,
    CLASSIFIER_NAME,
    DIGEST_TAG,
    MODEL_FILE,
    PRECISION_TAG,
    TRIAL_TAG,
    VERSION_KEY,
)
from training.errors import RegistryError
from training.export.candidate import Candidate, Precision
from training.registry.logged_model import uploaded_model
from training.registry.tracking import Tracker, registry_errors

_ABOUT = "Which of seven emotions a face shows. Versions are ONNX files, fp32 and int8."
# Keys of the file's own account of itself (ONNX metadata) that become tags.
_PROVENANCE = (VERSION_KEY, "data", "commit", "temperature", "smoothing")


@dataclass(frozen=True, slots=True)
class Version:
    """A version of the registered model.

    Attributes:
        number: the registry's, counted from "1".
        run_id: the MLflow run that it came from.
        tags: what is known about it.
    """

    number: str
    run_id: str
    tags: Mapping[str, str]

    @property
    def model(self) -> str:
        """The model's own version, as it answers with it; empty if its file names none."""
        return self.tags.get(VERSION_KEY, "")

    @property
    def sha256(self) -> str:
        """Of its file, in hex; empty if somebody registered it without."""
        return self.tags.get(DIGEST_TAG, "")

    @property
    def precision(self) -> str:
        """``fp32`` or ``int8``."""
        return self.tags.get(PRECISION_TAG, "")

    @property
    def trial(self) -> int | None:
        """How many images a split it learnt from, if that is a cut of the data; else None."""
        value = self.tags.get(TRIAL_TAG)
        return None if value is None else int(value)

    def __str__(self) -> str:
        """Name it by both versions."""
        return f"version {self.number} ({self.model})"


class Registry:
    """The registered model in one MLflow. Methods raise RegistryError where it doesn't answer."""

    def __init__(self, tracker: Tracker, name: str = CLASSIFIER_NAME) -> None:
        """Prepare to talk to it; nothing is asked yet.

        Args:
            tracker: where.
            name: of the registered model.
        """
        self.tracker = tracker
        self.name = name
        self._client = tracker.client

    def register(
        self, candidate: Candidate, run_id: str, trial: int | None = None
    ) -> dict[Precision, Version]:
        """Register both files of a candidate, and make the one to be served the challenger.

        A run registers each precision once: what was cut off goes on where it was, and what
        was done stays. A challenger that was registered later stays challenger.

        Args:
            candidate: the files and their figures.
            run_id: the MLflow run they came from.
            trial: how many images a split they learnt from; None is all of them.

        Raises:
            RegistryError: the run has registered another file under a precision.
        """
        tags = {key: f"{value:.6f}" for key, value in candidate.figures.items()}
        if trial is not None:
            tags[TRIAL_TAG] = str(trial)
        versions = {
            precision: self.register_file(path, precision, run_id, tags)
            for precision, path in candidate.variants.items()
        }
        served, challenger = versions[candidate.served], self.challenger()
        if challenger is None or int(challenger.number) < int(served.number):
            self.point(CHALLENGER, served)
        return versions

    def register_file(
        self, path: Path, precision: Precision, run_id: str, tags: Mapping[str, str]
    ) -> Version:
        """Make a file a version, unless its run has registered it already.

        Args:
            path: of the ONNX file.
            precision: its form.
            run_id: the MLflow run it came from.
            tags: what to know about it beyond its own account of itself.

        Raises:
            RegistryError: the run has registered another file under this precision.
        """
        content = path.read_bytes()
        digest = digest_of(content)
        with registry_errors(self.tracker.uri):
            self._be_there()
            registered = self._found(f"run_id = '{run_id}' and tag.{PRECISION_TAG} = '{precision}'")
            if registered is None:
                known = {
                    DIGEST_TAG: digest,
                    PRECISION_TAG: precision,
                    **{key: text for key, text in _account(content).items() if key in _PROVENANCE},
                }
                title = f"{self.name}-{precision}"
                model = uploaded_model(self._client, run_id, title, content)
                made = self._client.create_model_version(
                    self.name, model.place, run_id, tags={**known, **tags}, model_id=model.model_id
                )
                return _version(made)
        if registered.sha256 != digest:
            raise RegistryError(
                f"{path}: run {run_id} has registered another {precision} file, as {registered}. "
                "Package it in a new run"
            )
        return registered

    def version_of(self, digest: str) -> Version | None:
        """Return a version by its file's SHA-256 in hex, the newest; None where there is none."""
        with registry_errors(self.tracker.uri):
            return self._found(f"tag.{DIGEST_TAG} = '{digest}'")

    def tagged(self, key: str, value: str) -> list[Version]:
        """Return the versions with a tag of this value, the newest first."""
        with registry_errors(self.tracker.uri):
            return self._search(f"tag.{key} = '{value}'")

    def champion(self) -> Version | None:
        """Return the champion, or None where there is none yet."""
        return self._behind(CHAMPION)

    def challenger(self) -> Version | None:
        """Return the challenger, or None where nothing was registered yet."""
        return self._behind(CHALLENGER)

    def version(self, number: str) -> Version:
        """Return a version by its number.

        Raises:
            RegistryError: there is none.
        """
        with registry_errors(self.tracker.uri):
            try:
                return _version(self._client.get_model_version(self.name, number))
            except MlflowException as error:
                if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                    raise
                raise RegistryError(
                    f"{self.name} has no version {number} in {self.tracker.uri}. `register` makes "
                    "versions"
                ) from error

    def content(self, version: Version) -> bytes:
        """Download a version's ONNX file.

        Raises:
            RegistryError: its SHA-256 is not the one that was registered.
        """
        with registry_errors(self.tracker.uri), tempfile.TemporaryDirectory() as folder:
            place = self._client.get_model_version_download_uri(self.name, version.number)
            path = download_artifacts(
                f"{place}/{MODEL_FILE}", dst_path=folder, tracking_uri=self.tracker.uri
            )
            content = Path(path).read_bytes()
        if digest_of(content) != version.sha256:
            raise RegistryError(
                f"{self.name} {version}: the file's SHA-256 is {digest_of(content)}, not "
                f"{version.sha256 or 'registered'}. Don't serve it; register the run again"
            )
        return content

    def point(self, alias: str, version: Version) -> None:
        """Let an alias stand for a version from now on."""
        with registry_errors(self.tracker.uri):
            self._client.set_registered_model_alias(self.name, alias, version.number)

    def tag(self, version: Version, tags: Mapping[str, str]) -> None:
        """Set tags of a version."""
        with registry_errors(self.tracker.uri):
            for key, value in tags.items():
                self._client.set_model_version_tag(self.name, version.number, key, value)

    def untag(self, version: Version, key: str) -> None:
        """Remove a tag of a version."""
        with registry_errors(self.tracker.uri):
            self._client.delete_model_version_tag(self.name, version.number, key)

    def describe(self, version: Version, text: str) -> None:
        """Say something about a version, for people; it takes the former text's place."""
        with registry_errors(self.tracker.uri):
            self._client.update_model_version(self.name, version.number, text)

    def keep(self, version: Version, name: str, content: str) -> None:
        """Keep a text with a version's run, under a name with its folder."""
        with registry_errors(self.tracker.uri):
            self._client.log_text(version.run_id, content, name)

    def _behind(self, alias: str) -> Version | None:
        with registry_errors(self.tracker.uri):
            try:
                number = self._client.get_registered_model(self.name).aliases.get(alias)
            except MlflowException as error:
                if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                    raise
                return None
        return None if number is None else self.version(str(number))

    def _be_there(self) -> None:
        try:
            self._client.create_registered_model(self.name, description=_ABOUT)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise

    def _found(self, what: str) -> Version | None:
        return next(iter(self._search(what)), None)

    def _search(self, what: str) -> list[Version]:
        found = self._client.search_model_versions(
            f"name = '{self.name}' and {what}", order_by=["version_number DESC"]
        )
        return [_version(one) for one in found]


def _account(content: bytes) -> dict[str, str]:
    model = onnx.load_from_string(content)
    return {entry.key: entry.value for entry in model.metadata_props}


def _version(found: Any) -> Version:  # noqa: ANN401  # MLflow's ModelVersion has no types
    return Version(str(found.version), str(found.run_id), dict(found.tags))
