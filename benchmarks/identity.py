"""IDF1: how much of everybody's time a tracker gave them one number that was theirs alone."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy.optimize import linear_sum_assignment

from emotion.faces import Box
from emotion.video.observations import SampledFrame

# Boxes that share less of their joint area are of two faces.
_LEAST_OVERLAP = 0.5


@dataclass(frozen=True, slots=True)
class IdentityCount:
    """Faces of a clip, frame by frame.

    Attributes:
        true: faces that were really there.
        told: faces that the tracker gave a number.
        right: those of them that had their person's number, with people and numbers paired so
            that it is as large as can be.
    """

    true: int
    told: int
    right: int

    def __add__(self, other: "IdentityCount") -> "IdentityCount":
        """Count two clips together."""
        return IdentityCount(
            self.true + other.true, self.told + other.told, self.right + other.right
        )

    @property
    def idf1(self) -> float:
        """Harmonic mean of how many of the true are right, and of the told (Ristani 2016)."""
        return 2 * self.right / max(1, self.true + self.told)


def count_identities(
    truth: Sequence[dict[int, Box]],
    frames: Sequence[SampledFrame],
    numbers: Sequence[Sequence[int | None]],
) -> IdentityCount:
    """Compare a tracker's numbers with who was really where, in each frame."""
    together: Counter[tuple[int, int]] = Counter()
    told = 0
    for seen, frame, given in zip(truth, frames, numbers, strict=True):
        pairs = zip(given, frame.faces, strict=True)
        named = [(number, face.detection.box) for number, face in pairs if number is not None]
        told += len(named)
        for (person, box), (number, other) in product(seen.items(), named):
            if joint(box, other) >= _LEAST_OVERLAP:
                together[person, number] += 1
    return IdentityCount(sum(map(len, truth)), told, _most_right(together))


def joint(one: Box, other: Box) -> float:
    """Return the shared area of two boxes over their joint area, 0 to 1."""
    shared = overlap(one, other)
    return shared / (one.area + other.area - shared)


def overlap(one: Box, other: Box) -> float:
    """Return the area that two boxes share, in square pixels."""
    width = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
    height = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
    return max(0.0, width) * max(0.0, height)


def _most_right(together: Counter[tuple[int, int]]) -> int:
    people = sorted({person for person, _ in together})
    numbers = sorted({number for _, number in together})
    frames = np.array([[together[one, other] for other in numbers] for one in people])
    if not frames.size:
        return 0
    return int(frames[linear_sum_assignment(frames, maximize=True)].sum())
