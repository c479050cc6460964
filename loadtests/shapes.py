"""How the load goes up and down over time: shapes of stages that follow each other."""

import math
from dataclasses import dataclass

SPIKE_TIMES = 10
RECOVERY_SECONDS = 10.0
# A spike's users wait for their answers, so they ask a little less often than they would.
_OFFERED_TIMES = 1.2 * SPIKE_TIMES


@dataclass(frozen=True, slots=True)
class Stage:
    """A while of the same load.

    Attributes:
        name: what its figures are listed under.
        seconds: how long it lasts.
        times: the load, as so many times the steady rate.
        is_judged: whether the service has to keep its levels meanwhile.
    """

    name: str
    seconds: float
    times: float = 1.0
    is_judged: bool = True


Shape = tuple[Stage, ...]

_WARM_UP = Stage("warm-up", 5.0, is_judged=False)
SHAPES: dict[str, Shape] = {
    "steady": (_WARM_UP, Stage("steady", 60.0)),
    "ramp": (
        _WARM_UP,
        *(Stage(f"x {times:g}", 20.0, times, is_judged=times <= 1) for times in (0.5, 1, 2, 3, 4)),
    ),
    "spike": (
        _WARM_UP,
        Stage("before", 30.0),
        Stage("spike", 20.0, _OFFERED_TIMES, is_judged=False),
        Stage("recovery", RECOVERY_SECONDS, is_judged=False),
        Stage("after", 30.0),
    ),
    "soak": (_WARM_UP, Stage("soak", 1800.0)),
}


def positive(text: object) -> float:
    """Read a rate or a scale.

    Raises:
        ValueError: it is no number above 0, or no finite one.
    """
    wrong = f"it has to be a number above 0, not {text}"
    try:
        number = float(str(text))
    except ValueError as error:
        raise ValueError(wrong) from error
    if not 0 < number < math.inf:
        raise ValueError(wrong)
    return number


def stretched(shape: Shape, scale: float) -> Shape:
    """Return a shape whose stages last so many times as long, but for the time to recover."""
    return tuple(
        Stage(
            stage.name,
            stage.seconds * (1.0 if stage.name == "recovery" else scale),
            stage.times,
            stage.is_judged,
        )
        for stage in shape
    )


def stage_at(shape: Shape, seconds: float) -> Stage | None:
    """Return the stage of a moment, so long after the start; None after the last one."""
    for stage in shape:
        if seconds < stage.seconds:
            return stage
        seconds -= stage.seconds
    return None
