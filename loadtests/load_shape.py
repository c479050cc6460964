"""Locust's view of a shape: how many users there are to be now."""

from argparse import Namespace

from locust import LoadTestShape
from locust.env import Environment

from loadtests.shapes import SHAPES, Shape, stage_at, stretched

# Of one user: so few that those who wait for their answers in a spike come to about as many.
CALLS_A_SECOND = 0.5
_AT_ONCE = 1000  # Users a second that come or go: a stage begins at once.
_OVER = "after the end"


class PlannedLoad(LoadTestShape):
    """Goes through the stages of the shape that was chosen."""

    def tick(self) -> tuple[int, float] | None:
        """Return how many users there are to be; None ends the run. See Locust's class."""
        stage = stage_at(self._shape, self.get_run_time())
        if stage is None:
            return None
        return max(1, round(stage.times * self._options.rate / CALLS_A_SECOND)), _AT_ONCE

    @property
    def stage_name(self) -> str:
        """The stage of now."""
        stage = stage_at(self._shape, self.get_run_time())
        return stage.name if stage else _OVER

    @property
    def _shape(self) -> Shape:
        return stretched(SHAPES[self._options.shape], self._options.scale)

    @property
    def _options(self) -> Namespace:
        assert self.runner is not None
        options = self.runner.environment.parsed_options
        assert isinstance(options, Namespace)
        return options


def stage_of(environment: Environment) -> str:
    """Return the stage that a call belongs to which begins now."""
    assert isinstance(environment.shape_class, PlannedLoad)
    return environment.shape_class.stage_name
