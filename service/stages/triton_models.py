"""What a Triton server says of its models, and whether that is what this service was built for.

The files lie with Triton, out of this process's reach: what can be compared is what Triton tells.
"""

import asyncio
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from tritonclient.grpc.model_config_pb2 import ModelConfig, ModelInput, ModelOutput

from emotion.contract import CLASSIFIER_INPUT, CLASSIFIER_NAME, CLASSIFIER_OUTPUT
from emotion.deadline import Deadline
from emotion.errors import CapacityError, ContractMismatch, ModelUnavailable
from emotion.faces import ModelVersion
from emotion.labels import EMOTIONS
from emotion.model_config import parameter_of
from emotion.preprocessing import CROP_SIDE
from service.models.repository import read_config
from service.settings import BUILT_IN_MODELS
from service.stages.triton_client import TritonClient

# How old may be what is known of a model, in seconds. It is asked for when it is needed.
_FRESH_SECONDS = 1.0
# How long Triton may take to say it.
_ANSWER_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class ModelOnTriton:
    """A model as Triton serves it.

    Attributes:
        config: its configuration.
        number: of the newest version's folder.
    """

    config: ModelConfig
    number: int

    def names(self, number: int) -> bool:
        """Whether the configuration names the version in a folder."""
        return parameter_of(number) in self.config.parameters

    def version(self, number: int) -> ModelVersion:
        """Return the version in a folder.

        Raises:
            ContractMismatch: the configuration doesn't name it.
        """
        if not self.names(number):
            raise ContractMismatch(
                f"Triton's config.pbtxt of {self.config.name} doesn't name the version in folder "
                f"{number}. Serve a model repository made by `rapt models pull --into` or "
                "`python -m training export`."
            )
        name = self.config.parameters[parameter_of(number)].string_value
        return ModelVersion(self.config.name, name)


class TritonModel:
    """Knows how Triton serves one model, and asks again when that is a second old."""

    def __init__(self, client: TritonClient, name: str) -> None:
        """Ask nothing yet."""
        self._client = client
        self._name = name
        self._known: ModelOnTriton | None = None
        self._until = 0.0
        self._asking: asyncio.Task[ModelOnTriton] | None = None
        self._checking: asyncio.Task[None] | None = None

    async def look(self) -> ModelOnTriton:
        """Return how the model is served, as it was a second ago or later.

        Its labels are those of the look before, unless its configuration has changed.

        Raises:
            ContractMismatch: it is not the model this code was built for.
            ModelUnavailable: Triton does not answer, or has not loaded it.
            CapacityError: see ``TritonClient``.
        """
        if self._known is not None and time.monotonic() < self._until:
            return self._known
        # One call for all who want to know, which goes on when one of them goes away.
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._look_again())
        return await asyncio.shield(self._asking)

    async def look_anew(self) -> ModelOnTriton:
        """Return how the model is served now; see ``look`` for errors."""
        deadline = Deadline.after(_ANSWER_SECONDS)
        served, until = await self._ask(deadline)
        try:
            if self._is_new(served):
                _check_tensors(served.config)
            await self._check_labels(deadline)
        except ContractMismatch:
            self._known = None
            raise
        self._known, self._until = served, until
        return served

    async def _look_again(self) -> ModelOnTriton:
        """Return how the model is served now, and have its labels checked meanwhile.

        Their question waits in the model's queue, and whoever looks does so once already.
        """
        served, until = await self._ask(Deadline.after(_ANSWER_SECONDS))
        if self._is_new(served):
            return await self.look_anew()
        self._known, self._until = served, until
        if self._checking is None or self._checking.done():
            self._checking = asyncio.create_task(self._check_labels_again())
        return served

    def _is_new(self, served: ModelOnTriton) -> bool:
        return self._known is None or served.config != self._known.config

    async def _ask(self, deadline: Deadline) -> tuple[ModelOnTriton, float]:
        """Return what Triton says of it, and until when that counts as known."""
        until = time.monotonic() + _FRESH_SECONDS
        numbers = await self._client.numbers(self._name, deadline)
        config = await self._client.config(self._name, deadline)
        return ModelOnTriton(config, max(numbers)), until

    async def _check_labels_again(self) -> None:
        """Forget the model if its labels are wrong, so that whoever looks next is told."""
        try:
            # Where Triton is full or gone, those who want an answer are told; this is asked again.
            with suppress(CapacityError, ModelUnavailable):
                await self._check_labels(Deadline.after(_ANSWER_SECONDS))
        except ContractMismatch:
            self._known = None

    async def _check_labels(self, deadline: Deadline) -> None:
        if self._name == CLASSIFIER_NAME:
            crop = np.zeros((1, 1, CROP_SIDE, CROP_SIDE), dtype=np.uint8)
            inputs = {CLASSIFIER_INPUT: crop}
            _check_labels(
                await self._client.labels(self._name, inputs, CLASSIFIER_OUTPUT, deadline)
            )


def _check_tensors(config: ModelConfig) -> None:
    """Compare with the configuration that this service comes with.

    Raises:
        ContractMismatch: it takes or gives something else.
    """
    expected = read_config(BUILT_IN_MODELS, config.name)
    for what, ours, theirs in (
        ("takes", expected.input, config.input),
        ("gives", expected.output, config.output),
    ):
        if _described(ours) != _described(theirs):
            raise ContractMismatch(
                f"Triton's {config.name} {what} {_described(theirs)}, not {_described(ours)}."
            )


def _described(
    tensors: Iterable[ModelInput | ModelOutput],
) -> dict[str, tuple[int, list[int]]]:
    return {tensor.name: (tensor.data_type, list(tensor.dims)) for tensor in tensors}


def _check_labels(labels: tuple[str, ...]) -> None:
    if labels != tuple(EMOTIONS):
        raise ContractMismatch(
            f"Triton's {CLASSIFIER_NAME}: the labels {list(labels)} are not this project's, in its "
            "order."
        )
