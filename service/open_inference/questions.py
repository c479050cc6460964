"""What a client asks of the model, checked part by part. Each mistake has a message of its own."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TypeVar

from emotion.errors import InvalidRequest
from service.open_inference.contract import IMAGE, MODEL, OUTPUTS, TensorSpec

Input = TypeVar("Input")

_SHOWN = 60  # Characters of a caller's word that a message repeats.
# Parameters that say where the values of a tensor are, or what they mean.
_SHARED_MEMORY, _CLASSIFICATION = "shared_memory_region", "classification"


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """One inference request.

    Attributes:
        photos: encoded.
        outputs: the tensors to answer with, in this order.
        version: the model's, or empty for whichever is served.
    """

    photos: Sequence[bytes]
    outputs: tuple[TensorSpec, ...]
    version: str


def check_model(name: str) -> None:
    """Pass if it is the one that is served.

    Raises:
        InvalidRequest: it is not.
    """
    if name != MODEL:
        raise InvalidRequest(f"There is no model {shown(name)}; the one served is {MODEL!r}.")


def check_version(asked: str, served: str) -> None:
    """Pass if the version that is asked for, if any, is the one that is served.

    Raises:
        InvalidRequest: it is not.
    """
    if asked not in ("", served):
        raise InvalidRequest(
            f"Version {shown(asked)} of {MODEL!r} is not served; {served!r} is. Leave the version "
            "out for whichever is served."
        )


def only_input(inputs: Sequence[Input]) -> Input:
    """Return the one input.

    Raises:
        InvalidRequest: there is none, or several.
    """
    if len(inputs) != 1:
        raise InvalidRequest(f"The model has one input, {IMAGE.name!r}; {len(inputs)} were given.")
    return inputs[0]


def count_photos(tensor: TensorSpec, parameters: Collection[str], max_photos: int) -> int:
    """Return how many photos an input has, by what it says of itself.

    Args:
        tensor: name, datatype and shape, as given.
        parameters: the names of its parameters.
        max_photos: the most that are accepted.

    Raises:
        InvalidRequest: it is not the input of this model.
    """
    if tensor.name != IMAGE.name:
        raise InvalidRequest(f"There is no input {shown(tensor.name)}; it is {IMAGE.name!r}.")
    if tensor.datatype != IMAGE.datatype:
        raise InvalidRequest(
            f"The datatype of {IMAGE.name!r} is {IMAGE.datatype}, not {shown(tensor.datatype)}."
        )
    if len(tensor.shape) != 1:
        raise InvalidRequest(
            f"The shape of {IMAGE.name!r} is [n], one number; {len(tensor.shape)} were given."
        )
    if not 1 <= tensor.shape[0] <= max_photos:
        raise InvalidRequest(
            f"{IMAGE.name!r} has 1 to {max_photos} photos here, not {_cut(str(tensor.shape[0]))}."
        )
    if _SHARED_MEMORY in parameters:
        raise InvalidRequest("Shared memory is not offered. Send the photos in the request.")
    return tensor.shape[0]


def check_count(elements: Sequence[object], count: int) -> None:
    """Pass if there are as many elements as the shape says.

    Raises:
        InvalidRequest: there are not.
    """
    if len(elements) != count:
        raise InvalidRequest(
            f"The shape of {IMAGE.name!r} says {count} photos; {len(elements)} were given."
        )


def choose_outputs(asked: Sequence[tuple[str, Collection[str]]]) -> tuple[TensorSpec, ...]:
    """Return the outputs that are asked for, in their order; all if none is.

    Args:
        asked: name and names of the parameters of each.

    Raises:
        InvalidRequest: one is unknown, asked for twice, or in a form that isn't offered.
    """
    known = {spec.name: spec for spec in OUTPUTS}
    chosen: dict[str, TensorSpec] = {}
    for name, parameters in asked:
        if name not in known:
            raise InvalidRequest(f"There is no output {shown(name)}; there are {', '.join(known)}.")
        if name in chosen:
            raise InvalidRequest(f"The output {name!r} is asked for twice.")
        if _SHARED_MEMORY in parameters:
            raise InvalidRequest("Shared memory is not offered. The answer has the outputs.")
        if _CLASSIFICATION in parameters:
            raise InvalidRequest("Classes are not offered as an output's form: ask for 'labels'.")
        chosen[name] = known[name]
    return tuple(chosen.values()) or OUTPUTS


def shown(word: str) -> str:
    """Return a caller's word as a message may repeat it."""
    return repr(_cut(word))


def _cut(word: str) -> str:
    return word if len(word) <= _SHOWN else f"{word[:_SHOWN]}..."
