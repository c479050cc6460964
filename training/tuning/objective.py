"""One trial: its values drawn, its network trained, its run in MLflow written."""

import os
import shutil
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

import torch
from optuna import Study, Trial, TrialPruned
from optuna.exceptions import UpdateFinishedTrialError
from optuna.trial import TrialState

from training.data.dataset import Split
from training.errors import RegistryError
from training.fitting.checkpoint import RunFolder
from training.fitting.fit import fit
from training.recipe import Recipe
from training.registry.tracking import Status, TrackedRun, Tracker, flattened
from training.tuning.space import recipe_with
from training.tuning.study import RUN, WORKER, parent_of, wait_again
from training.tuning.task import TuningTask

End = Literal["finished", "pruned", "failed", "lost"]


@dataclass(frozen=True, slots=True)
class Bench:
    """What a worker keeps from trial to trial.

    Attributes:
        task: what is tuned.
        tracker: the way to MLflow.
        train: what is learnt from, without copies.
        val: what judges: PublicTest.
        device: where to compute.
    """

    task: TuningTask
    tracker: Tracker
    train: Split
    val: Split
    device: torch.device


class Objective:
    """What Optuna calls for one trial.

    Attributes:
        end: how the trial ended by itself; None while it runs, and where it was cut off. Lost
            is one that another worker took, since this one gave no sign of life for too long.
        accuracy: the best on val so far, as a fraction.
    """

    def __init__(self, bench: Bench, when_taken: Callable[[], None]) -> None:
        """Prepare for a trial.

        Args:
            bench: the worker's.
            when_taken: called once the storage says whose the trial is.
        """
        self.end: End | None = None
        self.accuracy = 0.0
        self._bench = bench
        self._when_taken = when_taken
        self._run: TrackedRun | None = None

    def __call__(self, trial: Trial) -> float:
        """Train the trial's network and return its best accuracy on val, as a fraction.

        Raises:
            TrialPruned: it falls behind the trials before it.
            RuntimeError, ValueError: torch can't compute with these values: for want of memory,
                say.
            RegistryError: MLflow doesn't answer.
        """
        try:
            return self._train(trial)
        except UpdateFinishedTrialError:
            self.end = "lost"
            raise

    def give_back(self, study: Study, number: int) -> None:
        """Let a trial that was cut off wait again, for whoever works on the study next."""
        trial = study.trials[number]
        if trial.state is TrialState.FAIL:
            wait_again(study, trial)
        if self._run is not None:
            # Where MLflow is what failed, that error is on its way already.
            with suppress(RegistryError):
                self._run.close("KILLED")

    def _train(self, trial: Trial) -> float:
        task = self._bench.task
        values = {one.key: one.draw(trial) for one in task.space}
        trial.set_user_attr(WORKER, f"{socket.gethostname()}:{os.getpid()}")
        self._when_taken()
        recipe = recipe_with(task.experiment.train, values)
        self._run = self._bench.tracker.open_run(
            task.name,
            f"trial {trial.number}",
            parameters=flattened(recipe),
            tags={"study": task.study, "trial": str(trial.number), "state": "running"},
            parent=parent_of(trial.study),
            run_id=trial.user_attrs.get(RUN),
        )
        trial.set_user_attr(RUN, self._run.run_id)
        try:
            self._fit(recipe, trial, self._run)
        except TrialPruned:
            self._close("pruned", "FINISHED", {})
            raise
        except UpdateFinishedTrialError:
            raise
        except (RuntimeError, ValueError) as error:
            self._close("failed", "FAILED", {"reason": str(error).partition("\n")[0]})
            raise
        self._close("finished", "FINISHED", {})
        return self.accuracy

    def _fit(self, recipe: Recipe, trial: Trial, run: TrackedRun) -> None:
        bench = self._bench
        path = bench.task.folder / f"trial-{trial.number}"
        shutil.rmtree(path, ignore_errors=True)
        try:
            folder = RunFolder(path, resume=False)
            for result in fit(recipe, bench.train, bench.val, folder, bench.device):
                run.log_epochs([result])
                self.accuracy = max(self.accuracy, result.val_accuracy)
                trial.report(result.val_accuracy, result.epoch + 1)
                if result.epoch + 1 < recipe.epochs and trial.should_prune():
                    raise TrialPruned
        finally:
            shutil.rmtree(path, ignore_errors=True)

    def _close(self, end: End, status: Status, tags: dict[str, str]) -> None:
        """Write the run before Optuna hears of the end: what is cut off in between runs again."""
        assert self._run is not None  # noqa: S101  # for mypy: it was opened above
        self._run.log_figures({"best_val_accuracy": self.accuracy})
        self._run.describe({}, {**tags, "state": end})
        self._run.close(status)
        self.end = end
