"""One face's expression over time: what single frames say, steadied.

Probabilities are smoothed by an exponential average over time, s += (1 - exp(-dt / T)) (p - s),
with T = 1 second: after a second a change has come through by 63 %. The emotion that is told
changes only when another one leads by 0.1, and has done so for half a second; each frame stands
for one interval. A face that was not seen for a while begins anew by itself, since dt is long.
"""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from emotion.labels import EMOTIONS, Emotion

SMOOTHING_SECONDS = 1.0
LEAST_LEAD = 0.1
LEAST_SECONDS = 0.5
# Times are rounded to milliseconds.
_HAIR = 1e-3

Shares = npt.NDArray[np.float64]


def smoothed(times: Sequence[float], probabilities: Shares) -> Shares:
    """Return float64 [n, 7], the averages at each time of a face's probabilities [n, 7]."""
    steady = np.array(probabilities, dtype=np.float64)
    for row in range(1, len(steady)):
        weight = 1 - math.exp((times[row - 1] - times[row]) / SMOOTHING_SECONDS)
        steady[row] = steady[row - 1] + weight * (steady[row] - steady[row - 1])
    return steady


def dominant(times: Sequence[float], steady: Shares, interval: float) -> list[Emotion]:
    """Return the emotion that is told at each time.

    Args:
        times: in seconds, in order.
        steady: what ``smoothed`` returns for them.
        interval: seconds that a frame stands for.
    """
    told: list[Emotion] = []
    current, challenger, since = -1, -1, 0.0
    for time, row in zip(times, steady, strict=True):
        best = int(np.argmax(row))
        if current < 0:
            current = best
        elif best == current or row[best] - row[current] < LEAST_LEAD:
            challenger = -1
        else:
            since = since if best == challenger else time
            challenger = best
            if time - since + interval >= LEAST_SECONDS - _HAIR:
                current, challenger = best, -1
        told.append(EMOTIONS[current])
    return told
