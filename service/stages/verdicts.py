"""Puts the rows of a classified batch back together."""

from collections.abc import Sequence

import numpy as np

from emotion.errors import DeadlineExceeded
from emotion.faces import ModelVersion, Verdicts
from emotion.labels import EMOTIONS
from service.stages.tasks import CropResult, CropVerdict


def gather_verdicts(results: Sequence[CropResult]) -> Verdicts:
    """Join the rows, at least one, that belong to one request.

    Raises:
        DeadlineExceeded: a row was not computed in time.
    """
    rows = [_computed(result) for result in results]
    return Verdicts(np.stack([row.probabilities for row in rows]), rows[-1].model)


def no_verdicts(model: ModelVersion) -> Verdicts:
    """Return the answer to no crops: nothing, but it names the model."""
    return Verdicts(np.empty((0, len(EMOTIONS)), dtype=np.float32), model)


def _computed(result: CropResult) -> CropVerdict:
    if isinstance(result, DeadlineExceeded):
        raise result
    return result
