"""Small studies: trials of seconds, on drawn faces."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import optuna
import pytest
from optuna import Study
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, TrialState

from tests.postgres_server import postgres_server
from training.experiment import Experiment, Range, TuneRecipe
from training.recipe import Recipe, Stage
from training.registry.tracking import Tracker
from training.tuning.storage import opened_storage
from training.tuning.study import begin, rescuer
from training.tuning.task import Pulse, TuningTask

# A dead worker is missed after two seconds; a slow one too, so not for tests of several.
QUICK = Pulse(seconds=1, grace=1)
PATIENT = Pulse(seconds=1, grace=100)
SEARCH = {
    "learning_rate": Range(low=0.02, high=0.2, log=True),
    "batch_size": Range(low=6, high=10),
}

MakeTask = Callable[..., TuningTask]


def experiment(epochs: int = 1, search: dict[str, Range] | None = None) -> Experiment:
    recipe = Recipe(
        stages=(Stage(epochs=epochs, size=16),), batch_size=8, precision="fp32", limit=16
    )
    return Experiment(train=recipe, tune=TuneRecipe(search=search or SEARCH))


@pytest.fixture(scope="session")
def sqlite_tracking(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a local MLflow, its tables made."""
    uri = f"sqlite:///{tmp_path_factory.mktemp('tracking') / 'mlflow.db'}"
    Tracker(uri).check()
    return uri


@pytest.fixture
def make_task(tmp_path: Path, parquet_folder: Path, sqlite_tracking: str) -> MakeTask:
    """A task on a storage of its own; every field can be given."""

    def make(**fields: object) -> TuningTask:
        defaults: dict[str, object] = {
            "experiment": experiment(),
            "name": "small",
            "study": "small",
            "storage": f"sqlite:///{tmp_path / 'tuning' / 'studies.db'}",
            "tracking": sqlite_tracking,
            "source": parquet_folder,
            "home": tmp_path,
            "trials": 1,
            "pulse": PATIENT,
        }
        return TuningTask(**{**defaults, **fields})  # type: ignore[arg-type]

    return make


@contextmanager
def storage_of(task: TuningTask) -> Iterator[RDBStorage]:
    with opened_storage(task.storage, task.pulse, rescuer(Tracker(task.tracking))) as storage:
        yield storage


def begin_study(task: TuningTask) -> None:
    with storage_of(task) as storage:
        begin(task, storage, Tracker(task.tracking))


def change_study(task: TuningTask, change: Callable[[Study], object]) -> None:
    with storage_of(task) as storage:
        change(optuna.load_study(study_name=task.study, storage=storage))


def trials_of(task: TuningTask) -> list[FrozenTrial]:
    with storage_of(task) as storage:
        return optuna.load_study(study_name=task.study, storage=storage).trials


def states_of(task: TuningTask) -> list[TrialState]:
    return [trial.state for trial in trials_of(task)]


def runs_of(task: TuningTask) -> list[dict[str, str]]:
    """The tags and parameters of the study's runs in MLflow, the parent's first."""
    client = Tracker(task.tracking).client
    known = client.get_experiment_by_name(task.name)
    assert known is not None
    runs = client.search_runs(
        [known.experiment_id],
        f"tags.study = '{task.study}'",
        order_by=["attributes.start_time ASC"],
    )
    return [
        {**run.data.params, **run.data.tags, "id": run.info.run_id, "status": run.info.status}
        for run in runs
    ]


def curve(task: TuningTask, run_id: str, name: str = "val_accuracy") -> Sequence[int]:
    """The steps of a curve, in the order in which they were logged."""
    history = Tracker(task.tracking).client.get_metric_history(run_id, name)
    return [point.step for point in history]


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The address of one PostgreSQL server; every test names its studies for itself."""
    with postgres_server() as url:
        yield url
