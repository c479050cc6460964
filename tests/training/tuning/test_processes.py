import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import optuna
import psutil
import pytest
from optuna.trial import TrialState

from tests.mlflow_server import MlflowServer
from tests.training.tuning.conftest import (
    QUICK,
    MakeTask,
    begin_study,
    curve,
    experiment,
    runs_of,
    states_of,
    storage_of,
    trials_of,
)
from training.tuning.conduct import conduct
from training.tuning.processes import interruptible
from training.tuning.task import TuningTask

ROOT = Path(__file__).parents[3]
FAILED, COMPLETE = TrialState.FAIL, TrialState.COMPLETE


# In a process of its own: in one that has run models of three runtimes, a signal ended the tests.
_INTERRUPTED = """
import signal
from training.tuning.processes import interruptible

try:
    with interruptible():
        signal.raise_signal(signal.SIGTERM)
except KeyboardInterrupt:
    print("interrupted")
"""


def test_sigterm_interrupts_as_ctrl_c_does() -> None:
    command = [sys.executable, "-c", _INTERRUPTED]
    done = subprocess.run(  # noqa: S603  # our own words
        command, cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "interrupted\n"


def test_signals_are_handled_afterwards_as_before() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with interruptible():
        assert signal.getsignal(signal.SIGTERM) is signal.default_int_handler
    assert signal.getsignal(signal.SIGTERM) is before


@contextmanager
def started(task: TuningTask, config: Path, *words: str) -> Iterator[subprocess.Popen[bytes]]:
    """Tune with the command itself while the block runs."""
    command = [sys.executable, "-m", "training", "tune", "--config", str(config)]
    command += ["--data", str(task.source), "--storage", task.storage]
    command += ["--trials", str(task.trials), "--threads", "1", *words]
    places = {"RAPT_HOME": str(task.home), "MLFLOW_TRACKING_URI": task.tracking}
    with subprocess.Popen(  # noqa: S603  # our own words
        command, cwd=ROOT, env={**os.environ, **places}
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def write_config(task: TuningTask) -> Path:
    path = task.home / f"{task.name}.yaml"
    path.write_text(task.experiment.model_dump_json(), encoding="utf-8")  # JSON is YAML
    return path


def wait_for_an_epoch(task: TuningTask, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 90
    with storage_of(task) as storage:
        study = optuna.load_study(study_name=task.study, storage=storage)
        while not any(trial.intermediate_values for trial in study.get_trials(deepcopy=False)):
            assert process.poll() is None
            assert time.monotonic() < end
            time.sleep(0.1)


@pytest.mark.soak
def test_same_command_started_twice_at_once_shares_a_new_study(make_task: MakeTask) -> None:
    task = make_task(name="both", study="both", trials=4)
    config = write_config(task)
    with started(task, config) as one, started(task, config) as other:
        assert (one.wait(), other.wait()) == (0, 0)
    assert states_of(task) == [COMPLETE] * 4
    parent, *children = runs_of(task)
    assert sorted(run["trial"] for run in children) == ["0", "1", "2", "3"]
    assert {run["mlflow.parentRunId"] for run in children} == {parent["id"]}


@pytest.mark.soak
def test_trial_of_a_worker_killed_with_9_is_taken_up(
    make_task: MakeTask, mlflow: MlflowServer
) -> None:
    task = make_task(
        name="killed", study="killed", tracking=mlflow.url, experiment=experiment(epochs=8)
    )
    begin_study(task)
    with started(task, write_config(task)) as process:
        wait_for_an_epoch(task, process)
        process.kill()
    assert states_of(task) == [TrialState.RUNNING]

    conduct(replace(task, pulse=QUICK), 1, print)

    assert states_of(task) == [FAILED, COMPLETE]
    assert trials_of(task)[0].params == trials_of(task)[1].params
    _, run = runs_of(task)
    assert (run["status"], run["state"], run["trial"]) == ("FINISHED", "finished", "1")
    assert curve(task, run["id"]) == list(range(1, 9))
    assert not task.folder.exists()


@pytest.mark.soak
def test_workers_give_their_trials_back_and_end_with_who_started_them(
    make_task: MakeTask, sqlite_tracking: str
) -> None:
    task = make_task(name="ended", study="ended", experiment=experiment(epochs=500))
    begin_study(task)
    with started(task, write_config(task), "--workers", "2") as process:
        wait_for_an_epoch(task, process)
        children = psutil.Process(process.pid).children(recursive=True)
        process.kill()
    _, alive = psutil.wait_procs(children, timeout=30)
    assert alive == []
    assert states_of(task) == [FAILED, TrialState.WAITING]
    assert runs_of(task)[1]["status"] == "KILLED"
