"""Times that are worth a look: where an audience shows something most, or changes.

A video is cut into windows of two seconds (or of one interval, if that is longer), so that a single
frame decides nothing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

import numpy as np

from emotion.labels import EMOTIONS, Emotion
from emotion.video.report import Audience, AudienceMoment, KeyMoment

MOST_MOMENTS = 8
_WINDOW_SECONDS = 2.0
# An emotion peaks where so large a share shows it, and so much more than over the whole video.
_LEAST_PEAK, _LEAST_RISE = 0.4, 0.15
# The audience changes where so large a share shows something else in the next window.
_LEAST_CHANGE = 0.5
_LEAST_ENGAGED = 0.1


@dataclass(frozen=True, slots=True)
class _Window:
    """Some seconds: when they begin, faces at a time (mean, most), shares [7], engagement."""

    time: float
    faces: float
    most: int
    shares: tuple[float, ...]
    engagement: float

    @property
    def emotion(self) -> Emotion:
        return EMOTIONS[self.shares.index(max(self.shares))]


def key_moments(audience: Audience, interval: float) -> tuple[KeyMoment, ...]:
    """Pick the times worth a look, in order of time; at most ``MOST_MOMENTS``.

    Args:
        audience: all faces over the video.
        interval: seconds between its moments.
    """
    windows = _windows(audience.moments, max(interval, _WINDOW_SECONDS))
    if not windows or audience.engagement is None:
        return ()
    peaks = list(_peaks(windows, audience))
    told = {moment.time for moment in peaks}
    changes = [moment for moment in _changes(windows) if moment.time not in told]
    found = [*peaks, *changes, *_extremes(windows, audience.engagement.index)]
    return tuple(sorted(found[:MOST_MOMENTS], key=lambda moment: moment.time))


def _windows(moments: Sequence[AudienceMoment], seconds: float) -> list[_Window]:
    """Join the moments with faces, window by window; each face counts the same."""
    windows = []
    seen = [moment for moment in moments if moment.engagement is not None]
    for _, group in groupby(seen, key=lambda moment: int(moment.time / seconds)):
        members = list(group)
        faces = np.array([moment.faces for moment in members], dtype=np.float64)
        shares = faces @ np.array([moment.shares for moment in members]) / faces.sum()
        indices = [moment.engagement.index for moment in members if moment.engagement]
        engagement = float(faces @ np.array(indices) / faces.sum())
        windows.append(
            _Window(
                time=members[0].time,
                faces=float(faces.mean()),
                most=max(moment.faces for moment in members),
                shares=tuple(shares.tolist()),
                engagement=engagement,
            )
        )
    return windows


def _peaks(windows: Sequence[_Window], audience: Audience) -> Iterator[KeyMoment]:
    for row, emotion in enumerate(EMOTIONS):
        best = max(windows, key=lambda window: (window.shares[row], window.faces))
        share = best.shares[row]
        if emotion is Emotion.NEUTRAL or share < _LEAST_PEAK:
            continue
        if share - audience.shares[row] >= _LEAST_RISE:
            whom = (
                f"{share:.0%} of {_faces(round(best.faces))}"
                if best.faces > 1
                else "one face in view"
            )
            yield KeyMoment(best.time, "peak", f"Most {emotion}: {whom}.")


def _changes(windows: Sequence[_Window]) -> list[KeyMoment]:
    """Return where the shares differ most from those of the window before, the largest first."""
    changes = []
    for before, after in pairwise(windows):
        moved = float(np.abs(np.subtract(after.shares, before.shares)).sum()) / 2
        if moved >= _LEAST_CHANGE and before.emotion is not after.emotion:
            text = f"From mostly {before.emotion} to mostly {after.emotion}."
            changes.append((moved, KeyMoment(after.time, "change", text)))
    changes.sort(key=lambda change: change[0], reverse=True)
    return [moment for _, moment in changes]


def _extremes(windows: Sequence[_Window], average: float) -> Iterator[KeyMoment]:
    """Tell the most engaged and the fullest window, where they stand out.

    Args:
        windows: in order of time.
        average: engagement's index of all faces at all times.
    """
    engaged = max(windows, key=lambda window: window.engagement)
    if engaged.engagement - average >= _LEAST_ENGAGED:
        text = (
            f"Most engaged: an index of {engaged.engagement:.2f}, against {average:.2f} on average."
        )
        yield KeyMoment(engaged.time, "engaged", text)
    means = [window.faces for window in windows]
    if max(means) - min(means) >= 1:
        fullest = max(windows, key=lambda window: (window.most, window.faces))
        yield KeyMoment(fullest.time, "fullest", f"Most faces: {_faces(fullest.most)}.")


def _faces(count: int) -> str:
    return "1 face" if count == 1 else f"{count} faces"
