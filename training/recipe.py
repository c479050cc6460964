"""A training recipe: every number that decides how the weights come out, typed and frozen."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from emotion.labels import EMOTIONS

Framing = Literal["raw", "aligned"]
Network = Literal["served", "fine"]
Fraction = Annotated[float, Field(ge=0.0, le=1.0)]


class Frozen(BaseModel):
    """Settings that refuse unknown keys, so that a misspelt one can't be silently ignored.

    No number is infinite or NaN. What a validator has to say is a ``PydanticCustomError``, whose
    text reaches people as it is.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Stage(Frozen):
    """A run of epochs at one input size. Small sizes first make the early epochs cheap."""

    epochs: int = Field(ge=1)
    size: int = Field(ge=16, le=96, description="side of the square input, in pixels")


class AugmentationRecipe(Frozen):
    """Strengths of the random changes made to every training batch."""

    rotation: float = Field(default=10.0, ge=0.0, description="largest turn, degrees either way")
    scale: Fraction = Field(default=0.12, description="largest relative change of size")
    shift: Fraction = Field(default=0.08, description="largest shift, as a share of the side")
    contrast: Fraction = Field(default=0.25, description="largest relative change of contrast")
    brightness: Fraction = Field(default=0.12, description="largest change, as a share of 255")
    erasing: Fraction = Field(default=0.3, description="share of images with a patch erased")
    mixup: Fraction = Field(default=0.0, description="share of batches mixed with themselves")
    mixup_alpha: float = Field(default=0.4, gt=0.0, description="Beta(a, a) of the mixing weight")


class Recipe(Frozen):
    """All of a training run. The defaults are the recipe of the first model."""

    seed: int = 1
    stages: tuple[Stage, ...] = (
        Stage(epochs=10, size=32),
        Stage(epochs=10, size=40),
        Stage(epochs=14, size=48),
    )
    batch_size: int = Field(default=128, ge=2)
    learning_rate: float = Field(default=0.1, gt=0.0, description="peak, after the warm-up")
    warmup_epochs: float = Field(default=1.0, ge=0.0)
    momentum: float = Field(default=0.9, ge=0.0, lt=1.0)
    weight_decay: float = Field(default=5e-4, ge=0.0, description="not on biases and norms")
    label_smoothing: float = Field(
        default=0.1, ge=0.0, le=0.9, description="share of each target that is spread evenly"
    )
    votes: Fraction = Field(
        default=0.0, description="share of each target that is FER+'s votes; the rest is the label"
    )
    dropout: Fraction = Field(default=0.2, description="before the last linear layer")
    ema_decay: float = Field(default=0.998, ge=0.0, lt=1.0, description="per step")
    precision: Literal["bf16", "fp32"] = Field(
        default="bf16",
        description="bf16 is for processors that multiply in it: others compute in fp32",
    )
    framing: Framing = Field(
        default="raw",
        description="which pixels are learnt from: FER2013's own framing, or the faces brought "
        "into the framing of a served face (prepared data only)",
    )
    initial: Path | None = Field(
        default=None,
        description="an exported classifier (ONNX, fp32 or int8) whose weights the run begins "
        "with; else they are random",
    )
    network: Network = Field(
        default="served",
        description="what is trained: the network that is served, or the fine one, which costs "
        "four times as much and can only teach it",
    )
    teachers: tuple[Path, ...] = Field(
        default=(),
        description="folders of runs whose networks say what each image shows, absolute or from "
        "where the command is given",
    )
    taught: Fraction = Field(
        default=0.0,
        description="share of each target that is the teachers' mean answer; the rest is label "
        "and votes",
    )
    augmentation: AugmentationRecipe = AugmentationRecipe()
    # The last one: a recipe that was cut off lacks it.
    limit: int | None = Field(
        default=None,
        description="images a split, for trial runs: a whole batch and one an emotion at least",
    )

    @field_validator("stages")
    @classmethod
    def _has_a_stage(cls, stages: tuple[Stage, ...]) -> tuple[Stage, ...]:
        if not stages:
            raise PydanticCustomError("no_stage", "Give at least one stage, with epochs and size")
        return stages

    @field_validator("teachers", mode="before")
    @classmethod
    def _is_a_list(cls, teachers: object) -> object:
        if not isinstance(teachers, list | tuple):
            raise PydanticCustomError(
                "no_list", "Give a list of folders, like [runs/one, runs/two]"
            )
        return teachers

    @field_validator("limit")
    @classmethod
    def _fills_a_batch(cls, limit: int | None, info: ValidationInfo) -> int | None:
        least = max(len(EMOTIONS), info.data.get("batch_size", 0))
        if limit is not None and limit < least:
            raise PydanticCustomError(
                "few_images",
                "Give at least {least}: a whole batch, and an image an emotion",
                {"least": least},
            )
        return limit

    @model_validator(mode="after")
    def _is_taught_by_somebody(self) -> Self:
        if bool(self.teachers) != bool(self.taught):
            raise PydanticCustomError(
                "half_taught", "Give teachers and a share above 0 that is taught, or neither"
            )
        return self

    @model_validator(mode="after")
    def _has_weights_that_fit(self) -> Self:
        if self.network == "fine" and self.initial is not None:
            raise PydanticCustomError(
                "other_layers", "A fine network begins with random weights: leave out initial"
            )
        return self

    @property
    def smoothing(self) -> float:
        """Share of each target that was spread evenly over the emotions.

        What teachers say is not smoothed again; what their own targets lost is left to the
        temperature.
        """
        return self.label_smoothing * (1 - self.taught)

    @property
    def epochs(self) -> int:
        """Epochs of all stages together."""
        return sum(stage.epochs for stage in self.stages)

    def size_at(self, epoch: int) -> int:
        """Return the input side in pixels of a zero-based ``epoch``."""
        for stage in self.stages:
            if epoch < stage.epochs:
                return stage.size
            epoch -= stage.epochs
        return self.stages[-1].size


def in_one_line(error: ValidationError) -> str:
    """Return what is wrong with settings, for people: each key and what it should be."""
    problems = ((".".join(map(str, part["loc"])), part["msg"]) for part in error.errors())
    return "; ".join(f"{key}: {message}" if key else message for key, message in problems)
