"""What the model answers: the faces of all photos as tensors, a row a face."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from emotion.deadline import Deadline
from emotion.errors import InputError, RaptError
from emotion.faces import Face, PhotoAnswer
from service.data_plane import DataPlane
from service.open_inference.contract import (
    BOXES,
    IMAGE,
    IMAGE_INDEX,
    LABELS,
    PROBABILITIES,
    SCORES,
    TensorSpec,
)
from service.open_inference.questions import Question, check_model, check_version
from service.open_inference.tensors import Tensor, Values

Faces = Sequence[tuple[int, Face]]  # each with the index of its photo


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """The tensors that were asked for, and the classifier's version."""

    version: str
    tensors: tuple[Tensor, ...]


async def served_version(plane: DataPlane, name: str, version: str) -> str:
    """Return the version of a model that would answer now.

    Args:
        plane: asked for it.
        name: the model's.
        version: the one asked for, or empty.

    Raises:
        InvalidRequest: the model or its version is not served.
        ModelError: a model does not answer.
    """
    check_model(name)
    served = (await plane.check_ready()).model.version.version
    check_version(version, served)
    return served


async def answer(plane: DataPlane, question: Question, deadline: Deadline) -> Answer:
    """Answer a question.

    The protocol has no error for a row: one bad photo fails the request, and is named.

    Raises:
        InputError: a photo can't be used, or another version of the model is served; the error
            of the first such photo, with its index.
        CapacityError: full, or out of time.
        ModelError: a model does not answer.
    """
    if question.version:
        # Asked first, so that nothing is computed for a version that is gone.
        check_version(question.version, (await plane.check_ready()).model.version.version)
    results = await plane.analyse(question.photos, deadline)
    photos = [_good(index, result) for index, result in enumerate(results)]
    version = photos[0].model.version
    check_version(question.version, version)
    faces = [(index, face) for index, photo in enumerate(photos) for face in photo.faces]
    return Answer(
        version, tuple(Tensor(spec, _VALUES[spec.name](faces)) for spec in question.outputs)
    )


def _good(index: int, result: PhotoAnswer | RaptError) -> PhotoAnswer:
    if isinstance(result, InputError):
        raise type(result)(f"{IMAGE.name}[{index}]: {result.message}") from result
    if isinstance(result, RaptError):
        raise result
    return result


def _boxes(faces: Faces) -> Values:
    boxes = [face.detection.box for _, face in faces]
    rows = [(box.x, box.y, box.width, box.height) for box in boxes]
    return _rows(rows, BOXES)


def _scores(faces: Faces) -> Values:
    return np.array([face.detection.score for _, face in faces], dtype=np.float32)


def _probabilities(faces: Faces) -> Values:
    return _rows([face.probabilities for _, face in faces], PROBABILITIES)


def _labels(faces: Faces) -> Values:
    return tuple(face.emotion.value for _, face in faces)


def _image_index(faces: Faces) -> Values:
    return np.array([index for index, _ in faces], dtype=np.int32)


def _rows(rows: Sequence[tuple[float, ...]], spec: TensorSpec) -> Values:
    """Return float32 [len(rows), width of the spec], also where there is no row."""
    return np.array(rows, dtype=np.float32).reshape(len(rows), spec.shape[1])


_VALUES: dict[str, Callable[[Faces], Values]] = {
    BOXES.name: _boxes,
    SCORES.name: _scores,
    PROBABILITIES.name: _probabilities,
    LABELS.name: _labels,
    IMAGE_INDEX.name: _image_index,
}
