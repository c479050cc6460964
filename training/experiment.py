"""An experiment: what the pipeline does from data to promoted model, as one file of differences.

An experiment file (YAML) holds only what differs from the defaults below; an unknown key is
refused. Its name, without the suffix, is the experiment's name.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

import yaml
from pydantic import Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from training.errors import RecipeError
from training.recipe import Fraction, Frozen, Recipe, in_one_line
from training.strict_yaml import read_yaml

DEFAULT_NAME = "default"

_MOST_LOST = 0.003


class DataRecipe(Frozen):
    """What ``prepare`` reads and how it finds faces."""

    source: str = Field(
        default="../shared/data/fer2013",
        description="a local folder or file, or s3://BUCKET/PREFIX, gs://BUCKET/PREFIX",
    )
    detector: Literal["retinaface", "mtcnn"] = Field(
        default="retinaface", description="retinaface is the one that serves"
    )


class QuantisationRecipe(Frozen):
    """How the network is made int8, and how much of its accuracy that may cost.

    An experiment may allow less than the default and never more, unless it is a trial.
    """

    images: int = Field(default=1024, ge=1, description="training images that set the ranges")
    most_lost: Fraction = Field(
        default=_MOST_LOST, description="largest loss of val accuracy against fp32, as a fraction"
    )


class GateRecipe(Frozen):
    """What a challenger must show on val to become champion; all shares are fractions.

    The defaults are the loosest: an experiment is judged by its own file, so that file may make
    the gate stricter and never looser.
    """

    significance: float = Field(
        default=0.05, ge=0.0, le=0.05, description="largest p-value of the one-sided McNemar test"
    )
    recall_margin: float = Field(
        default=0.05, ge=0.0, le=0.05, description="most that any class's recall falls"
    )
    slice_margin: float = Field(
        default=0.03,
        ge=0.0,
        le=0.03,
        description="most that the accuracy of the worst slice falls",
    )


class Range(Frozen):
    """Values that ``tune`` draws for one key of the recipe."""

    low: float
    high: float
    log: bool = Field(default=False, description="draw evenly over the logarithm")


def _usual_search() -> dict[str, Range]:
    return {
        "learning_rate": Range(low=0.02, high=0.2, log=True),
        "weight_decay": Range(low=1e-4, high=1e-3, log=True),
        "augmentation.scale": Range(low=0.0, high=0.25),
        "augmentation.erasing": Range(low=0.0, high=0.5),
    }


class TuneRecipe(Frozen):
    """What ``tune`` searches: keys of ``train``, dotted (``augmentation.scale``), and ranges."""

    search: dict[str, Range] = Field(default_factory=_usual_search)


class Experiment(Frozen):
    """All of an experiment. The defaults are those of the first model."""

    data: DataRecipe = DataRecipe()
    train: Recipe = Recipe()
    quantisation: QuantisationRecipe = QuantisationRecipe()
    gate: GateRecipe = GateRecipe()
    tune: TuneRecipe = TuneRecipe()

    @model_validator(mode="after")
    def _is_strict_where_it_is_served(self) -> Self:
        if self.quantisation.most_lost > _MOST_LOST and self.train.limit is None:
            raise PydanticCustomError(
                "too_much_lost",
                "quantisation.most_lost: Input should be less than or equal to {most}; only a "
                "trial (train.limit) may lose more",
                {"most": _MOST_LOST},
            )
        return self


def load_experiment(path: Path | None) -> Experiment:
    """Read an experiment file, or return the default experiment for None.

    Raises:
        RecipeError: the file can't be read, is no YAML mapping, or has a bad or unknown key, or
            the same one twice.
    """
    if path is None:
        return Experiment()
    try:
        content: Any = read_yaml(path.read_text(encoding="utf-8"))
        return Experiment.model_validate({} if content is None else content)
    except ValidationError as error:
        raise RecipeError(f"{path}: {in_one_line(error)}") from error
    except OSError as error:
        raise RecipeError(f"{path}: {error.strerror}") from error
    except yaml.YAMLError as error:
        raise RecipeError(f"{path}: {error}") from error
    except UnicodeDecodeError as error:
        raise RecipeError(f"{path}: no YAML: {error}") from error


def with_defaults(content: Mapping[str, object]) -> dict[str, Any]:
    """Return an experiment that was kept as JSON, with the defaults of keys that are newer.

    One that can't be read any more is returned as it is.
    """
    try:
        return Experiment.model_validate(content).model_dump(mode="json")
    except ValidationError:
        return dict(content)


def experiment_on(experiment: Experiment, source: str | None) -> Experiment:
    """Return an experiment that reads its data elsewhere; the same one for None."""
    if source is None:
        return experiment
    data = experiment.data.model_copy(update={"source": source})
    return experiment.model_copy(update={"data": data})


def cut_to(experiment: Experiment, limit: int | None) -> Experiment:
    """Return an experiment on this many images a split, whatever its own limit is."""
    train = experiment.train.model_copy(update={"limit": limit})
    return experiment.model_copy(update={"train": train})


def as_served(experiment: Experiment) -> Experiment:
    """Return an experiment whose faces are found by the detector that serves."""
    data = experiment.data.model_copy(update={"detector": "retinaface"})
    return experiment.model_copy(update={"data": data})


def name_of(path: Path | None) -> str:
    """Return the experiment's name: its file's, or ``default``."""
    return DEFAULT_NAME if path is None else path.stem
