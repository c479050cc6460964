from pathlib import Path

import pytest
import requests
from mlflow.entities import Run
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import UNAUTHENTICATED

from tests.mlflow_server import MlflowServer
from training.errors import RegistryError
from training.fitting.checkpoint import EpochResult
from training.recipe import AugmentationRecipe, Recipe, Stage
from training.registry.tracking import (
    TrackedRun,
    Tracker,
    flattened,
    registry_errors,
    tracking_uri,
    without_credentials,
)

FIRST = EpochResult(epoch=0, size=16, learning_rate=0.1, loss=2.0, val_accuracy=0.25)
SECOND = EpochResult(epoch=1, size=16, learning_rate=0.05, loss=1.5, val_accuracy=0.5)
THIRD = EpochResult(epoch=2, size=16, learning_rate=0.0, loss=1.0, val_accuracy=0.375)
NOBODY = "http://rapt:secret@127.0.0.1:9"


@pytest.fixture(scope="session")
def tracker(tmp_path_factory: pytest.TempPathFactory) -> Tracker:
    """A database file that isn't there yet."""
    folder = tmp_path_factory.mktemp("mlflow")
    return Tracker(f"sqlite:///{folder / 'mlflow.db'}")


def open_run(tracker: Tracker, **named: str) -> TrackedRun:
    return tracker.open_run("tests", "one", parameters={"seed": "1"}, tags={"a": "b"}, **named)


def read(tracker: Tracker, run: TrackedRun) -> Run:
    return tracker.client.get_run(run.run_id)


def curve(tracker: Tracker, run: TrackedRun, name: str) -> list[tuple[int, float]]:
    history = tracker.client.get_metric_history(run.run_id, name)
    return [(point.step, point.value) for point in history]


def test_default_is_a_database_file_in_rapt_home(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv("RAPT_HOME", str(tmp_path))
    assert tracking_uri() == f"sqlite:///{tmp_path}/mlflow/mlflow.db"


def test_any_server_is_used_by_its_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://mlflow:5000")
    assert tracking_uri() == "http://mlflow:5000"


@pytest.mark.parametrize("uri", ["databricks", "./mlruns", "foo://bar", "http://", "http://[::1"])
def test_an_address_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, uri: str) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    with pytest.raises(RegistryError, match=r"no server .* and no database"):
        tracking_uri()


@pytest.mark.parametrize(
    "uri",
    [
        "https://name:word@mlflow.example.org/registry",
        "http://[::1]:5000",
        "postgresql+psycopg://rapt@db/mlflow",
        "sqlite:////data/mlflow.db",
    ],
)
def test_servers_and_databases_are_addresses(monkeypatch: pytest.MonkeyPatch, uri: str) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    assert tracking_uri() == uri


def test_settings_become_dotted_parameters() -> None:
    recipe = Recipe(stages=(Stage(epochs=2, size=32),), augmentation=AugmentationRecipe(mixup=0.5))
    parameters = flattened(recipe)
    assert parameters["augmentation.mixup"] == "0.5"
    assert parameters["stages"] == '[{"epochs": 2, "size": 32}]'
    assert parameters["precision"] == "bf16"
    assert parameters["limit"] == "null"


def test_run_has_its_parameters_and_tags(tracker: Tracker) -> None:
    run = open_run(tracker)
    known = read(tracker, run)
    assert known.info.run_name == "one"
    assert known.info.status == "RUNNING"
    assert known.data.params == {"seed": "1"}
    assert known.data.tags["a"] == "b"


def test_more_parameters_than_one_request_holds_are_all_logged(tracker: Tracker) -> None:
    parameters = {f"key_{number}": "1" for number in range(101)}
    run = tracker.open_run("tests", "many", parameters=parameters, tags={})
    assert read(tracker, run).data.params == parameters


def test_part_of_a_run_names_its_parent(tracker: Tracker) -> None:
    parent = open_run(tracker)
    part = open_run(tracker, parent=parent.run_id)
    assert read(tracker, part).data.tags["mlflow.parentRunId"] == parent.run_id


def test_curves_go_by_epoch_from_1(tracker: Tracker) -> None:
    run = open_run(tracker)
    run.log_epochs([FIRST, SECOND])
    assert curve(tracker, run, "loss") == [(1, 2.0), (2, 1.5)]
    assert curve(tracker, run, "val_accuracy") == [(1, 0.25), (2, 0.5)]
    assert curve(tracker, run, "learning_rate") == [(1, 0.1), (2, 0.05)]


def test_epoch_that_is_logged_again_is_there_once(tracker: Tracker) -> None:
    run = open_run(tracker)
    run.log_epochs([FIRST])
    run.log_epochs([FIRST, SECOND])
    assert curve(tracker, run, "loss") == [(1, 2.0), (2, 1.5)]


def test_run_that_is_gone_on_with_runs_again_and_has_every_epoch_once(tracker: Tracker) -> None:
    run = open_run(tracker)
    run.log_epochs([FIRST, SECOND])
    run.close("FAILED")
    again = open_run(tracker, run_id=run.run_id)
    again.log_epochs([FIRST, SECOND, THIRD])
    assert again.run_id == run.run_id
    assert read(tracker, run).info.status == "RUNNING"
    assert curve(tracker, run, "loss") == [(1, 2.0), (2, 1.5), (3, 1.0)]


def test_run_that_is_gone_on_with_refuses_other_parameters(tracker: Tracker) -> None:
    run = open_run(tracker)
    with pytest.raises(RegistryError, match="Changing param values is not allowed"):
        tracker.open_run("tests", "one", parameters={"seed": "2"}, tags={}, run_id=run.run_id)


def test_run_that_is_not_there_can_not_be_gone_on_with(tracker: Tracker) -> None:
    with pytest.raises(RegistryError, match=f"Run with id={'0' * 32} not found"):
        open_run(tracker, run_id="0" * 32)


def test_figures_and_end_are_kept(tracker: Tracker) -> None:
    run = open_run(tracker)
    run.log_figures({"best_val_accuracy": 0.5})
    run.close("FINISHED")
    known = read(tracker, run)
    assert known.data.metrics == {"best_val_accuracy": 0.5}
    assert known.info.status == "FINISHED"


def test_artifacts_lie_beside_the_database_file(tracker: Tracker) -> None:
    run = open_run(tracker)
    run.log_picture("plots/confusion.png", b"\x89PNG")
    run.log_text("report.html", "<p>ä</p>")
    run.log_json("gate.json", {"passed": True})
    home = Path(tracker.uri.removeprefix("sqlite:///")).parent
    folder = home / "artifacts" / "tests" / run.run_id / "artifacts"
    assert (folder / "plots" / "confusion.png").read_bytes() == b"\x89PNG"
    assert (folder / "report.html").read_text(encoding="utf-8") == "<p>ä</p>"
    assert (folder / "gate.json").read_text(encoding="utf-8") == '{\n  "passed": true\n}\n'


def test_server_keeps_curves_and_artifacts(mlflow: MlflowServer, tmp_path: Path) -> None:
    tracker = Tracker(mlflow.url)
    tracker.check()
    run = open_run(tracker)
    run.log_epochs([FIRST])
    run.log_picture("plots/confusion.png", b"\x89PNG")
    path = tracker.client.download_artifacts(run.run_id, "plots/confusion.png", str(tmp_path))
    assert Path(path).read_bytes() == b"\x89PNG"
    assert curve(tracker, run, "loss") == [(1, 2.0)]


def test_server_that_does_not_answer_is_said_in_one_line_without_its_password() -> None:
    with pytest.raises(RegistryError) as caught:
        Tracker(NOBODY).check()
    assert str(caught.value) == (
        "MLflow at http://127.0.0.1:9 doesn't answer: start it, correct MLFLOW_TRACKING_URI, or "
        "unset it to use the SQLite file in RAPT_HOME"
    )


def test_way_to_an_artifact_store_that_breaks_is_the_same_error() -> None:
    with pytest.raises(RegistryError, match="doesn't answer"), registry_errors(NOBODY):
        raise requests.ConnectionError


def test_server_that_refuses_says_how_to_give_a_name_and_a_password() -> None:
    refusal = MlflowException("who are you", error_code=UNAUTHENTICATED)
    with pytest.raises(RegistryError) as caught, registry_errors(NOBODY):
        raise refusal
    assert str(caught.value) == (
        "MLflow at http://127.0.0.1:9 refuses: set MLFLOW_TRACKING_USERNAME and "
        "MLFLOW_TRACKING_PASSWORD. It says: who are you"
    )


def test_experiment_that_somebody_else_made_in_between_is_used(tracker: Tracker) -> None:
    class Slow(Tracker):
        def _place(self, experiment: str) -> str | None:
            self.client.create_experiment(experiment)
            return super()._place(experiment)

    run = Slow(tracker.uri).open_run("between", "one", parameters={}, tags={})
    known = tracker.client.get_experiment_by_name("between")
    assert known is not None
    assert read(tracker, run).info.experiment_id == known.experiment_id


def test_address_of_no_mlflow_is_refused() -> None:
    with pytest.raises(RegistryError, match=r"MLflow at abc://x: .*unsupported URI"):
        Tracker("abc://x")


def test_address_that_is_none_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "rapt:secret@host")
    with pytest.raises(RegistryError) as caught:
        tracking_uri()
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            "from http://me:secret@one/x to postgresql://you@two/y",
            "from http://one/x to postgresql://two/y",
        ),
        ("postgresql://me:s/ecret@one/x", "postgresql://one/x"),
        ("postgresql://one/x?user=me&password=secret", "postgresql://one/x?user=me&"),
        ("postgresql://one/x?sslpassword=secret&a=b", "postgresql://one/x?&a=b"),
    ],
)
def test_credentials_are_taken_out_of_every_address_in_a_text(text: str, shown: str) -> None:
    assert without_credentials(text) == shown


def test_database_that_fails_in_mid_run_is_said_without_its_statement(tracker: Tracker) -> None:
    with pytest.raises(RegistryError) as caught, registry_errors(tracker.uri):
        raise MlflowException("(sqlite3.OperationalError) disk is full\n[SQL: INSERT secret]")
    assert str(caught.value) == f"MLflow at {tracker.uri}: (sqlite3.OperationalError) disk is full"
