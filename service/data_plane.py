"""The data plane: what every transport calls. It admits, keeps the deadline, asks the pipeline."""

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from emotion.deadline import Deadline
from emotion.errors import CapacityError, DeadlineExceeded, ModelError, ModelUnavailable, RaptError
from emotion.faces import PhotoAnswer
from emotion.photo import PhotoPipeline
from service.admission import Admission, Slot
from service.ending import Ending
from service.metrics import PhotoMetrics
from service.models.registry_watch import RegistryState, registry_off
from service.models.served import ModelState
from service.present import Present
from service.settings import Settings
from service.storage_errors import failures_so_far

# Says which classifier answers, if both models are there; raises ModelError or CapacityError if
# not.
Probe = Callable[[], Awaitable[ModelState]]

# A process that is starting again lets its callers wait; a probe has to be told at once.
_PROBE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Backend:
    """What stands behind the data plane once the process is up.

    Attributes:
        pipeline: answers photos.
        probe: asks whether both models behind it are there.
        metrics: counts what happens.
        registry: says how it stands with the model registry.
    """

    pipeline: PhotoPipeline
    probe: Probe
    metrics: PhotoMetrics
    registry: Callable[[], RegistryState] = field(default=registry_off)


@dataclass(frozen=True, slots=True)
class Readiness:
    """What a service that is ready says of itself."""

    model: ModelState
    registry: RegistryState


class DataPlane:
    """One per front process; it refuses everything until it is started.

    Attributes:
        settings: those of the process.
        ending: says when the process has been told to end.
    """

    def __init__(self, settings: Settings) -> None:
        """Set the limits; the models come with ``start``."""
        self.settings = settings
        self._admission = Admission(
            settings.max_in_flight,
            settings.max_bytes_in_flight,
            settings.deadline_seconds,
            max_unmeasured=max(1, settings.max_bytes_in_flight // settings.max_message_bytes),
        )
        self._started: Backend | None = None
        self.ending = Ending()

    def start(self, backend: Backend) -> None:
        """Begin to serve."""
        self._started = backend

    @asynccontextmanager
    async def request(self, patience: float = math.inf) -> AsyncIterator[Slot]:
        """Let a request in, and end it at its deadline, whatever it is doing then.

        Args:
            patience: seconds that the caller waits, where it says so.

        Raises:
            ModelUnavailable: the service is starting.
            Overloaded: too much is in work.
            DeadlineExceeded: the block was ended.
        """
        is_hurried = patience < self.settings.deadline_seconds
        requests = self._backend.metrics
        with requests.request(is_hurried=is_hurried), self._admission.admit(patience) as slot:
            try:
                async with asyncio.timeout(slot.deadline.remaining):
                    yield slot
            except TimeoutError as error:
                raise DeadlineExceeded(
                    "The answer was not ready in time. Try again, or send a smaller photo."
                ) from error

    async def analyse(
        self, photos: Sequence[bytes], deadline: Deadline
    ) -> list[PhotoAnswer | RaptError]:
        """Say what photos show; see ``PhotoPipeline.analyse``."""
        results = await self._backend.pipeline.analyse(photos, deadline)
        self._backend.metrics.results(results)
        return results

    async def check_ready(self) -> Readiness:
        """Pass if a photo would be answered now, whether the registry answers or not.

        Raises:
            ModelError: a model does not answer.
        """
        try:
            async with asyncio.timeout(_PROBE_SECONDS):
                model = await self._backend.probe()
        except TimeoutError as error:
            raise ModelUnavailable("A model does not answer. Try again shortly.") from error
        return Readiness(model, self._backend.registry())

    async def present(self) -> Present:
        """Say what is true now, for whoever measures."""
        if self._started is None:
            return Present(None, None, None, storage_errors=failures_so_far())
        registry = self._started.registry()
        try:
            model = (await self.check_ready()).model.version
        except (ModelError, CapacityError):
            model = None
        return Present(
            model,
            registry.is_up,
            registry.is_champion_refused,
            registry.is_pull_failed,
            failures_so_far(),
        )

    @property
    def _backend(self) -> Backend:
        if self._started is None:
            raise ModelUnavailable("The service is starting. Try again shortly.")
        return self._started
