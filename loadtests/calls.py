"""A call, and how it is listed: under the stage that it began in, and the endpoint."""

import time
from dataclasses import dataclass, field

from locust.env import Environment

from loadtests.endpoints import refused
from loadtests.load_shape import stage_of


@dataclass
class Call:
    """One call, from its making on. One of its verbs is called, once."""

    environment: Environment
    endpoint: str
    stage: str = field(init=False)
    began: float = field(init=False)

    def __post_init__(self) -> None:
        """Begin."""
        self.stage = stage_of(self.environment)
        self.began = time.perf_counter()

    def was_answered(self, length: int = 0) -> None:
        """List it as answered, by so many bytes."""
        self._list(self.endpoint, length=length)

    def was_refused(self) -> None:
        """List it as told to come again later."""
        self._list(refused(self.endpoint))

    def failed(self, why: object) -> None:
        """List it as failed."""
        self._list(self.endpoint, why)

    def _list(self, name: str, failure: object = None, length: int = 0) -> None:
        self.environment.events.request.fire(
            request_type=self.stage,
            name=name,
            response_time=1000 * (time.perf_counter() - self.began),
            response_length=length,
            exception=failure,
            context={},
        )
