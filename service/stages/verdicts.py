"""Puts the rows of a classified batch back together."""

from collections.abc import Awaitable, Callable, Sequence

import numpy as np

from emotion.errors import DeadlineExceeded
from emotion.faces import ModelVersion, Verdicts
from emotion.labels import EMOTIONS
from service.stages.tasks import CropResult, CropVerdict


async def ask_one_model(ask: Callable[[], Awaitable[Sequence[CropResult]]]) -> Verdicts:
    """Join the rows, at least one, that belong to one request, all judged by one model.

    The rows of one request may lie in two batches, with a swap of the model between them. They
    are judged again then: an answer names one model.

    Args:
        ask: has the rows judged.

    Raises:
        DeadlineExceeded: a row was not computed in time.
    """
    rows = [_computed(result) for result in await ask()]
    while len({row.model for row in rows}) > 1:
        rows = [_computed(result) for result in await ask()]
    return Verdicts(np.stack([row.probabilities for row in rows]), rows[0].model)


def no_verdicts(model: ModelVersion) -> Verdicts:
    """Return the answer to no crops: nothing, but it names the model."""
    return Verdicts(np.empty((0, len(EMOTIONS)), dtype=np.float32), model)


def _computed(result: CropResult) -> CropVerdict:
    if isinstance(result, DeadlineExceeded):
        raise result
    return result
