"""Calls a Triton server over gRPC: one connection, a deadline, a few more tries, our own errors.

What goes wrong on the way, and what it means here:

    connection refused, or dropped under a call; Triton ends    asked again, then ModelUnavailable
    the queue of a model is full                                Overloaded
    the deadline has passed                                     DeadlineExceeded
    a model isn't loaded, or fails                              ModelUnavailable

To ask again is safe: what Triton computes depends on nothing but what it is sent.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import structlog
from tritonclient.grpc import InferInput, InferRequestedOutput
from tritonclient.grpc.aio import InferenceServerClient
from tritonclient.grpc.model_config_pb2 import ModelConfig
from tritonclient.utils import InferenceServerException, np_to_triton_dtype

from emotion.deadline import Deadline
from emotion.errors import DeadlineExceeded, ModelUnavailable, Overloaded, RaptError
from service.origins import TRACEPARENT, current_origin
from service.stages.triton_outage import TritonOutage
from service.tracing.spans import Kind, span

Answer = TypeVar("Answer")

log = structlog.get_logger()

# Seconds before the second and the third try.
_PAUSES = (0.05, 0.2)
_MAY_PASS = ("StatusCode.UNAVAILABLE", "StatusCode.CANCELLED")
_LATE = "StatusCode.DEADLINE_EXCEEDED"
_FULL = "Exceeds maximum queue size"

_SECOND = 1000  # in milliseconds
_CHANNEL: list[tuple[str, int | str]] = [
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    # All servers behind the name in turn; where it is one, the same.
    ("grpc.lb_policy_name", "round_robin"),
    # gRPC would wait up to two minutes before it tries to connect again, and half a minute before
    # it asks anew who is behind the name: far longer than Triton takes to be back.
    ("grpc.initial_reconnect_backoff_ms", _SECOND // 10),
    ("grpc.min_reconnect_backoff_ms", 2 * _SECOND),
    ("grpc.max_reconnect_backoff_ms", _SECOND),
    ("grpc.dns_min_time_between_resolutions_ms", _SECOND),
    # A proxy that the environment names is for the world outside.
    ("grpc.enable_http_proxy", 0),
]


@dataclass(frozen=True, slots=True, eq=False)
class Inference:
    """A model's answer.

    Attributes:
        tensors: one for each output that was asked for, in that order. Not to be written to.
        number: of the version's folder that it came from.
    """

    tensors: tuple[npt.NDArray[Any], ...]
    number: int


class TritonClient:
    """One connection, kept for as long as the process lives. To be used from one event loop."""

    def __init__(self, address: str) -> None:
        """Take the address of Triton's gRPC endpoint; nothing is called yet."""
        self._address = address
        self._outage = TritonOutage(address)
        self._made: InferenceServerClient | None = None

    async def infer(
        self,
        model: str,
        inputs: Mapping[str, npt.NDArray[Any]],
        outputs: Sequence[str],
        deadline: Deadline,
    ) -> Inference:
        """Run a model on one batch.

        Raises:
            CapacityError: its queue is full, or the deadline has passed.
            ModelUnavailable: it does not answer.
        """
        wanted = [InferRequestedOutput(name) for name in outputs]
        facts = {"rpc.system": "grpc", "rpc.method": "ModelInfer"}
        with span(f"triton {model}", Kind.CLIENT, facts):
            return await self._infer(model, inputs, wanted, deadline)

    async def labels(
        self, model: str, inputs: Mapping[str, npt.NDArray[Any]], output: str, deadline: Deadline
    ) -> tuple[str, ...]:
        """Return how Triton calls the classes of an output, in order; see ``infer`` for errors.

        Args:
            model: its name.
            inputs: a batch of one; Triton tells labels only of an answer.
            output: whose classes they are.
            deadline: of the call.
        """
        every = InferRequestedOutput(output, class_count=np.iinfo(np.int32).max)
        answer = await self._infer(model, inputs, [every], deadline)
        # The most probable comes first, as b"0.9056:3:happy".
        classes = [entry.decode().split(":", 2) for entry in answer.tensors[0].flat]
        return tuple(one[-1] for one in sorted(classes, key=lambda one: int(one[1])))

    async def numbers(self, model: str, deadline: Deadline) -> tuple[int, ...]:
        """Return the numbers of the versions that are served; see ``infer`` for errors."""
        ask = partial(self._connection.get_model_metadata, model)
        metadata = await self._call(model, ask, deadline)
        return tuple(int(number) for number in metadata.versions)

    async def config(self, model: str, deadline: Deadline) -> ModelConfig:
        """Return a model's configuration as Triton understands it; see ``infer`` for errors."""
        ask = partial(self._connection.get_model_config, model)
        config: ModelConfig = (await self._call(model, ask, deadline)).config
        return config

    async def check_ready(self, model: str, deadline: Deadline) -> None:
        """Pass if a model is loaded and warm.

        Raises:
            ModelUnavailable: it is not, or Triton does not answer.
        """
        ask = partial(self._connection.is_model_ready, model)
        if not await self._call(model, ask, deadline):
            raise ModelUnavailable(
                f"Triton has not loaded the {_spoken(model)}. Try again shortly."
            )

    async def close(self) -> None:
        """Close the connection."""
        if self._made is not None:
            await self._made.close()
            self._made = None

    @property
    def _connection(self) -> InferenceServerClient:
        # Made late: it belongs to the event loop that runs when it is made.
        if self._made is None:
            self._made = InferenceServerClient(self._address, channel_args=_CHANNEL)
        return self._made

    async def _infer(
        self,
        model: str,
        inputs: Mapping[str, npt.NDArray[Any]],
        outputs: list[InferRequestedOutput],
        deadline: Deadline,
    ) -> Inference:
        given = [_input(name, values) for name, values in inputs.items()]
        asks = partial(self._connection.infer, model, given, outputs=outputs)
        ask = partial(asks, headers=_headers())
        result = await self._call(model, ask, deadline)
        tensors = tuple(result.as_numpy(output.name()) for output in outputs)
        return Inference(tensors, int(result.get_response().model_version))

    async def _call(
        self, model: str, ask: Callable[..., Awaitable[Answer]], deadline: Deadline
    ) -> Answer:
        """Call one of the connection's methods, and translate what can go wrong."""
        pauses = iter(_PAUSES)
        while True:
            deadline.check()
            try:
                answer = await ask(client_timeout=_seconds(deadline))
            except InferenceServerException as error:
                pause = next(pauses, None) if _may_pass(error) else None
                if pause is None:
                    raise self._failure(error, model) from error
                if not self._outage.is_quiet:
                    log.info("triton_asked_again", model=model, status=error.status())
            else:
                self._outage.ends()
                return answer
            await asyncio.sleep(pause)

    def _failure(self, error: InferenceServerException, model: str) -> RaptError:
        """Log an error, and say what it means; the one place where Triton's are known."""
        who, status = _spoken(model), error.status()
        if status == _LATE:
            return DeadlineExceeded(f"The {who} did not answer in time. Try again.")
        if _may_pass(error):
            self._outage.goes_on(error.message())
            return ModelUnavailable(f"Triton does not answer for the {who}. Try again shortly.")
        log.warning("triton_failed", model=model, status=status, reason=error.message())
        if _is_full(error):
            return Overloaded(f"The {who} is full. Try again shortly.")
        return ModelUnavailable(f"The {who} failed on Triton. Try again shortly.")


def _input(name: str, values: npt.NDArray[Any]) -> InferInput:
    tensor = InferInput(name, values.shape, np_to_triton_dtype(values.dtype))
    tensor.set_data_from_numpy(values)
    return tensor


def _headers() -> dict[str, str] | None:
    """Return what joins Triton's own spans (``--trace-config mode=opentelemetry``) to ours."""
    traceparent = current_origin().traceparent
    return None if traceparent is None else {TRACEPARENT: traceparent}


def _seconds(deadline: Deadline) -> float | None:
    """Return how long a call may take, as gRPC wants it: None is for ever."""
    return deadline.remaining if math.isfinite(deadline.at) else None


def _may_pass(error: InferenceServerException) -> bool:
    return error.status() in _MAY_PASS and not _is_full(error)


def _is_full(error: InferenceServerException) -> bool:
    return _FULL in (error.message() or "")


def _spoken(model: str) -> str:
    return model.replace("_", " ")
