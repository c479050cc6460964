"""What is tuned, as a value that travels to worker processes."""

from dataclasses import dataclass, field
from pathlib import Path

from training.experiment import Experiment
from training.tuning.space import Dimension, space_of


@dataclass(frozen=True, slots=True)
class Pulse:
    """How a worker shows that it is alive.

    Attributes:
        seconds: between two signs of life.
        grace: seconds without one after which its trial is given to another worker.
    """

    seconds: int = 30
    grace: int = 150


@dataclass(frozen=True, slots=True)
class TuningTask:
    """What is tuned, where, and how far; the same for all workers of one machine.

    Attributes:
        experiment: its recipe is where the study begins, its ``tune.search`` what is searched.
        name: the experiment's, in MLflow too.
        study: the study's name; also that of the file of its result.
        storage: its address, from ``storage_url``.
        tracking: MLflow's address.
        source: FER2013.
        home: ``$RAPT_HOME``; trials train in ``tuning/runs/STUDY`` below it.
        trials: how many the study should have in the end, whoever runs them.
        device: where to compute, as torch spells it.
        threads: CPU threads of one worker.
        pulse: when a worker counts as dead.
    """

    experiment: Experiment
    name: str
    study: str
    storage: str
    tracking: str
    source: Path
    home: Path
    trials: int
    device: str = "cpu"
    threads: int = 1
    pulse: Pulse = field(default_factory=Pulse)

    @property
    def space(self) -> tuple[Dimension, ...]:
        """What is searched.

        Raises:
            RecipeError: it can't be.
        """
        return space_of(self.experiment.train, self.experiment.tune.search)

    @property
    def folder(self) -> Path:
        """Where this machine's trials train; removed when the study is done."""
        return self.home / "tuning" / "runs" / self.study

    @property
    def result(self) -> Path:
        """Of the best recipe's experiment file."""
        return self.home / "tuning" / f"{self.study}.yaml"
