"""How faces move: a Kalman filter a face, all of them at once.

A face is three numbers: its centre's x and y, and the logarithm of its size (the square root of its
box's area). Each moves with a constant velocity that random accelerations change (Bar-Shalom,
Li and Kirubarajan 2001, "Estimation with Applications to Tracking and Navigation", 6.3.2), and
is measured by itself. Distances are in faces: what a pixel means depends on the face's size.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from emotion.faces import Box

Floats = npt.NDArray[np.float64]

# Standard deviations of x, y in faces, and of the logarithm of the size. The detector's boxes shake
# by 0.002 (a still face) to 0.03 (a crowd in the street); people walk by at up to one face a second
# and turn round within another, more along than up and down, and hardly change their size.
_MEASUREMENT = np.array([0.04, 0.04, 0.04])
_ACCELERATION = np.array([1.0, 0.4, 0.05])  # a second squared
_FIRST_VELOCITY = np.array([0.8, 0.3, 0.1])  # a second
# Seconds after which a velocity says nothing any more of where a face is.
_LONGEST_STEP = 3.0
_FACES_A_FACTOR = 2.0


@dataclass(frozen=True, slots=True, eq=False)
class Motion:
    """Where n faces are, and how fast they move.

    Attributes:
        place: float64 [n, 3]: x and y of the centre in pixels, logarithm of the size in pixels.
        velocity: float64 [n, 3]: their changes a second.
        covariance: float64 [n, 3, 3]: variance of each place, covariance of place and velocity,
            variance of the velocity.
    """

    place: Floats
    velocity: Floats
    covariance: Floats

    @classmethod
    def beginning(cls, places: Floats) -> "Motion":
        """Return the motion of faces that are seen for the first time; places [n, 3]."""
        scale = _scale_of(places)
        covariance = np.zeros((len(places), 3, 3))
        covariance[:, :, 0] = (_MEASUREMENT * scale) ** 2
        covariance[:, :, 2] = (_FIRST_VELOCITY * scale) ** 2
        return cls(places, np.zeros_like(places), covariance)

    def after(self, seconds: float) -> "Motion":
        """Return what is expected of the faces later."""
        step = min(seconds, _LONGEST_STEP)
        noise = (_ACCELERATION * _scale_of(self.place)) ** 2
        first, mixed, last = (self.covariance[:, :, part] for part in range(3))
        covariance = np.stack(
            [
                first + 2 * step * mixed + step**2 * last + noise * step**4 / 4,
                mixed + step * last + noise * step**3 / 2,
                last + noise * step**2,
            ],
            axis=2,
        )
        return Motion(self.place + step * self.velocity, self.velocity, covariance)

    def corrected(self, rows: Sequence[int], places: Floats) -> "Motion":
        """Return the motion after some of the faces were seen: ``places`` [len(rows), 3]."""
        chosen = list(rows)
        first, mixed, last = (self.covariance[chosen, :, part] for part in range(3))
        noise = (_MEASUREMENT * _scale_of(self.place[chosen])) ** 2
        gain, gain_velocity = first / (first + noise), mixed / (first + noise)
        surprise = places - self.place[chosen]
        place, velocity = self.place.copy(), self.velocity.copy()
        covariance = self.covariance.copy()
        place[chosen] += gain * surprise
        velocity[chosen] += gain_velocity * surprise
        covariance[chosen] = np.stack(
            [first * (1 - gain), mixed * (1 - gain), last - gain_velocity * mixed], axis=2
        )
        return Motion(place, velocity, covariance)

    def distances(self, places: Floats) -> tuple[Floats, Floats]:
        """Compare what is expected of n faces with m places that are seen.

        Returns:
            Two float64 [n, m]: the squared Mahalanobis distance (three degrees of freedom), and
            that plus the logarithm of how uncertain the face's place is: twice the negative
            logarithm of the likelihood, but for a constant.
        """
        scale = _scale_of(self.place)
        spread = self.covariance[:, :, 0] + (_MEASUREMENT * scale) ** 2
        surprise = places[np.newaxis] - self.place[:, np.newaxis]
        squared = np.sum(surprise**2 / spread[:, np.newaxis], axis=2)
        uncertainty = np.sum(np.log(spread / scale**2), axis=1)
        return squared, squared + uncertainty[:, np.newaxis]

    def kept(self, rows: Sequence[int]) -> "Motion":
        """Return the motion of some of the faces."""
        chosen = list(rows)
        return Motion(self.place[chosen], self.velocity[chosen], self.covariance[chosen])

    def joined(self, other: "Motion") -> "Motion":
        """Return the motion of these faces, then of others."""
        return Motion(
            np.concatenate([self.place, other.place]),
            np.concatenate([self.velocity, other.velocity]),
            np.concatenate([self.covariance, other.covariance]),
        )


def places_of(boxes: Sequence[Box]) -> Floats:
    """Return float64 [n, 3]: x and y of the centres, logarithms of the sizes."""
    return np.array(
        [
            (box.x + box.width / 2, box.y + box.height / 2, np.log(max(box.area, 1.0)) / 2)
            for box in boxes
        ],
        dtype=np.float64,
    ).reshape(-1, 3)


def distances_in_faces(faces: Floats, places: Floats) -> Floats:
    """Return float64 [n, m]: how far m places are from n faces, both as of ``places_of``.

    In sizes of the face; a change of size by a factor of e counts as two.
    """
    scale = _scale_of(faces) / (1, 1, _FACES_A_FACTOR)
    apart = (places[np.newaxis] - faces[:, np.newaxis]) / scale[:, np.newaxis]
    return np.asarray(np.linalg.norm(apart, axis=2))


def _scale_of(places: Floats) -> Floats:
    """Return float64 [n, 3]: what one face is in the units of each number."""
    size = np.exp(places[:, 2])
    return np.stack([size, size, np.ones_like(size)], axis=1)
