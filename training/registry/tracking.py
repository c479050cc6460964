"""Runs in MLflow: their parameters, curves, figures and pictures.

Only MLflow's client is used, never its module-level functions: those keep "the active run" in
global state, which several workers and threads would share.
"""

import os
import re
import tempfile
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from json import dumps
from pathlib import Path, PurePosixPath
from typing import Any, Literal

import requests
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag
from mlflow.exceptions import MlflowException
from mlflow.store.db.db_types import DATABASE_ENGINES
from pydantic import BaseModel
from sqlalchemy.exc import SQLAlchemyError

from training.errors import RegistryError
from training.fitting.checkpoint import EpochResult
from training.home import home_folder
from training.registry.databases import ask_database, is_database

_SQLITE = "sqlite:///"
_PARENT_TAG = "mlflow.parentRunId"
# What one request may hold.
_MOST_PARAMETERS = 100
_MOST_METRICS = 999
_CURVES = ("loss", "val_accuracy", "learning_rate")
_ADDRESS = re.compile(
    r"https?://([\w.~%:-]*@)?([\w.-]+|\[[\da-fA-F:.]+\])(:\d+)?(/.*)?"
    rf"|({'|'.join(DATABASE_ENGINES)})(\+\w+)?://.+"
)
# A database's password may hold slashes; its driver also takes one among the options.
_CREDENTIALS = re.compile(r"(?<=://)[^\s?#]*@|(?<=[?&])\w*(?:pass|pwd|secret|token)\w*=[^&\s]*")
_REFUSALS = {"UNAUTHENTICATED", "CUSTOMER_UNAUTHORIZED", "PERMISSION_DENIED"}

Status = Literal["FINISHED", "FAILED", "KILLED"]


def tracking_uri() -> str:
    """Return ``$MLFLOW_TRACKING_URI``, or the SQLite file ``$RAPT_HOME/mlflow/mlflow.db``.

    Raises:
        RegistryError: the variable names no server and no database.
    """
    default = home_folder() / "mlflow" / "mlflow.db"
    uri = os.environ.get("MLFLOW_TRACKING_URI") or f"{_SQLITE}{default.absolute()}"
    if not _ADDRESS.fullmatch(uri):
        raise RegistryError(
            # Not shown: what is no address may hold a password anywhere.
            "MLFLOW_TRACKING_URI is no server (http://HOST:5000) and no database "
            "(sqlite:////PATH/mlflow.db, postgresql://…). Unset it to use the SQLite file in "
            "RAPT_HOME"
        )
    return uri


def without_credentials(uri: str) -> str:
    """Return an address, or a text that holds some, without user names and passwords."""
    return _CREDENTIALS.sub("", uri)


def flattened(settings: BaseModel) -> dict[str, str]:
    """Return settings as parameters of a run: dotted keys, lists and tables in lists as JSON."""
    return dict(_leaves(settings.model_dump(mode="json"), ()))


@contextmanager
def registry_errors(uri: str) -> Iterator[None]:
    """Turn what goes wrong between us and MLflow into one line that says what to do.

    Raises:
        RegistryError: in place of any error of MLflow or of the way to it.
    """
    place = f"MLflow at {without_credentials(uri)}"
    try:
        yield
    except MlflowException as error:
        # A database's error goes on with the statement and what was in it.
        reason = without_credentials(" ".join(error.message.partition("[SQL: ")[0].split()))
        if error.error_code in _REFUSALS:
            hint = "refuses: set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD"
            raise RegistryError(f"{place} {hint}. It says: {reason}") from error
        if reason.startswith("API request to"):
            raise _silent(place) from error
        raise RegistryError(f"{place}: {reason}") from error
    except requests.RequestException as error:
        raise _silent(place) from error
    except SQLAlchemyError as error:
        reason = without_credentials(str(getattr(error, "orig", None) or error))
        raise _silent(place, reason.strip().partition("\n")[0].rstrip(".")) from error
    except ImportError as error:
        raise RegistryError(
            f"{place} needs a package that is not installed: {error}. Install it, or "
            "correct MLFLOW_TRACKING_URI"
        ) from error


class Tracker:
    """Opens runs on one MLflow: a server, or a database."""

    def __init__(self, uri: str) -> None:
        """Prepare to talk to an MLflow; a database is asked whether it is there, a server isn't.

        Args:
            uri: ``http://…``, or a database: ``sqlite:////absolute/path.db``, whose artifacts
                lie beside it, and whose folder is made where it belongs into ``$RAPT_HOME``.

        Raises:
            RegistryError: no MLflow can be at such an address, or the database doesn't answer.
        """
        self.uri = uri
        # MLflow's store of databases uses what SQLAlchemy is about to drop.
        with registry_errors(uri), warnings.catch_warnings(action="ignore"):
            if is_database(uri):
                ask_database(uri)
            self.client = MlflowClient(uri)

    def check(self) -> None:
        """Find out whether MLflow answers, before hours are spent.

        Raises:
            RegistryError: it doesn't, or not to us.
        """
        with registry_errors(self.uri):
            self.client.search_experiments(max_results=1)

    def open_run(
        self,
        experiment: str,
        name: str,
        *,
        parameters: Mapping[str, str],
        tags: Mapping[str, str],
        parent: str | None = None,
        run_id: str | None = None,
    ) -> "TrackedRun":
        """Begin a run, or go on with one.

        Args:
            experiment: name of the experiment it belongs to; made if absent.
            name: the run's own.
            parameters: what it is made with; a run that is gone on with keeps those it has, and
                refuses another value for them.
            tags: what else to know about it.
            parent: id of the run of which this is a part.
            run_id: of the run to go on with; its status is RUNNING again.

        Raises:
            RegistryError: MLflow doesn't answer, or doesn't know the run.
        """
        own = {**tags, _PARENT_TAG: parent} if parent else dict(tags)
        with registry_errors(self.uri):
            if run_id is None:
                # With its tags, by which a process that comes after a crash finds it.
                place = self._experiment_id(experiment)
                begun = self.client.create_run(place, tags=own, run_name=name)
                run = TrackedRun(self, begun.info.run_id, is_new=True)
            else:
                self.client.update_run(run_id, status="RUNNING", name=name)
                run = TrackedRun(self, run_id, is_new=False)
        run.describe(parameters, own)
        return run

    def _experiment_id(self, name: str) -> str:
        if known := self.client.get_experiment_by_name(name):
            return str(known.experiment_id)
        try:
            return str(self.client.create_experiment(name, artifact_location=self._place(name)))
        except MlflowException as error:
            # Somebody else made it in between.
            known = self.client.get_experiment_by_name(name)
            if error.error_code != "RESOURCE_ALREADY_EXISTS" or known is None:
                raise
            return str(known.experiment_id)

    def _place(self, experiment: str) -> str | None:
        """Return where an experiment's artifacts go: a server knows that itself."""
        if self.uri.startswith(_SQLITE):
            folder = Path(self.uri.removeprefix(_SQLITE)).parent
        elif is_database(self.uri):
            folder = home_folder() / "mlflow"
        else:
            return None
        return (folder.absolute() / "artifacts" / experiment).as_uri()


class TrackedRun:
    """A run in MLflow. Every method raises RegistryError where MLflow doesn't answer."""

    def __init__(self, tracker: Tracker, run_id: str, *, is_new: bool) -> None:
        """Take over a run that is there; ``Tracker.open_run`` opens one."""
        self.run_id = run_id
        self._tracker = tracker
        self._client = tracker.client
        self._logged: set[tuple[str, int]] | None = set() if is_new else None

    def describe(self, parameters: Mapping[str, str], tags: Mapping[str, str]) -> None:
        """Add parameters, which can't be changed afterwards, and tags, which can."""
        pairs = [Param(key, value) for key, value in parameters.items()]
        labels = [RunTag(key, value) for key, value in tags.items()]
        with self._errors():
            for start in range(0, len(pairs), _MOST_PARAMETERS):
                part = pairs[start : start + _MOST_PARAMETERS]
                self._client.log_batch(self.run_id, params=part)
            self._client.log_batch(self.run_id, tags=labels)

    def log_epochs(self, results: Sequence[EpochResult]) -> None:
        """Add to the curves ``loss``, ``val_accuracy`` and ``learning_rate``.

        Steps are epochs, and count from 1, as they are shown. An epoch that is there already
        is left as it is, so a run that was cut off may log all it knows again.
        """
        now = _milliseconds()
        with self._errors():
            if self._logged is None:
                self._logged = {
                    (curve, point.step)
                    for curve in _CURVES
                    for point in self._client.get_metric_history(self.run_id, curve)
                }
            new = [
                Metric(curve, getattr(result, curve), now, result.epoch + 1)
                for result in results
                for curve in _CURVES
                if (curve, result.epoch + 1) not in self._logged
            ]
            for start in range(0, len(new), _MOST_METRICS):
                part = new[start : start + _MOST_METRICS]
                self._client.log_batch(self.run_id, metrics=part)
                self._logged.update((metric.key, metric.step) for metric in part)

    def log_figures(self, figures: Mapping[str, float]) -> None:
        """Set figures that the whole run came to."""
        now = _milliseconds()
        metrics = [Metric(key, value, now, 0) for key, value in figures.items()]
        with self._errors():
            self._client.log_batch(self.run_id, metrics=metrics)

    def log_picture(self, name: str, png: bytes) -> None:
        """Keep a picture under a name with its folder: ``plots/confusion.png``."""
        self._keep(name, png)

    def log_text(self, name: str, text: str) -> None:
        """Keep a text under a name with its folder."""
        self._keep(name, text.encode())

    def log_json(self, name: str, content: Mapping[str, Any]) -> None:
        """Keep a JSON object under a name with its folder."""
        self._keep(name, (dumps(content, indent=2) + "\n").encode())

    def close(self, status: Status) -> None:
        """Say how the run ended."""
        with self._errors():
            self._client.set_terminated(self.run_id, status)

    def _keep(self, name: str, content: bytes) -> None:
        place = PurePosixPath(name)
        folder = None if place.parent == PurePosixPath() else str(place.parent)
        with self._errors(), tempfile.TemporaryDirectory() as draft:
            path = Path(draft) / place.name
            path.write_bytes(content)
            self._client.log_artifact(self.run_id, path, folder)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        with registry_errors(self._tracker.uri):
            yield


def _silent(place: str, reason: str = "") -> RegistryError:
    why = f" ({reason})" if reason else ""
    return RegistryError(
        f"{place} doesn't answer{why}: start it, correct MLFLOW_TRACKING_URI, or unset it to use "
        "the SQLite file in RAPT_HOME"
    )


def _milliseconds() -> int:
    return time.time_ns() // 1_000_000


def _leaves(value: object, path: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield from _leaves(part, (*path, str(key)))
    else:
        text = value if isinstance(value, str) else dumps(value)
        yield ".".join(path), text
