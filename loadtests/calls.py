"""A call, and how it is listed: under the stage that it began in, and the endpoint."""

import time
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from locust.env import Environment

from loadtests.endpoints import refused
from loadtests.load_shape import stage_of


@dataclass
class Call:
    """One call, from its making on, for a ``with`` block which calls one of its verbs, once.

    A block that ends by an exception has failed: Locust would list nothing.
    """

    environment: Environment
    endpoint: str
    stage: str = field(init=False)
    began: float = field(init=False)

    def __post_init__(self) -> None:
        """Begin, if Locust isn't about to end this user, whose turn came at the same moment."""
        time.sleep(0)  # As patched by Locust: it ends one that waits.
        self.stage = stage_of(self.environment)
        self.began = time.perf_counter()

    def __enter__(self) -> Self:
        """Nothing is to be done."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """List it as failed by an exception, Locust's own too that ends a user who still waits."""
        if error is not None:
            self.failed(error)

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
