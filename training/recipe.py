"""A training recipe: every number that decides how the weights come out, typed and frozen."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Framing = Literal["raw", "aligned"]
Fraction = Annotated[float, Field(ge=0.0, le=1.0)]


class Frozen(BaseModel):
    """Settings that refuse unknown keys, so that a misspelt one can't be silently ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid")


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
    """All of a training run. The defaults are the recipe of the committed model."""

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
    label_smoothing: Fraction = 0.1
    dropout: Fraction = Field(default=0.2, description="before the last linear layer")
    ema_decay: float = Field(default=0.998, ge=0.0, lt=1.0, description="per step")
    precision: Literal["bf16", "fp32"] = "bf16"
    framing: Framing = Field(
        default="raw",
        description="which pixels are learnt from: FER2013's own framing, or the faces brought "
        "into the framing of a served face (prepared data only)",
    )
    augmentation: AugmentationRecipe = AugmentationRecipe()
    limit: int | None = Field(default=None, ge=1, description="images a split; for trial runs")

    @model_validator(mode="after")
    def _has_a_stage(self) -> Self:
        if not self.stages:
            raise ValueError("stages: give at least one {epochs, size}")
        return self

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
