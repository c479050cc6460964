"""Times that are worth a look: where an audience shows something most, or changes.

A video is cut into windows of two seconds (or of one interval, if that is longer). One with less
than half as many looks at faces as is usual in the video decides nothing: one face in one frame
shows one emotion wholly. The window decides what is told; its time and figures are those of the
frame of it that shows it clearest, so that they agree with the charts at that place.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from statistics import median

import numpy as np

from emotion.labels import EMOTIONS, Emotion
from emotion.video.report import Audience, AudienceMoment, KeyMoment

MOST_MOMENTS = 8
_WINDOW_SECONDS = 2.0
# Of the median window's looks at faces; fewer decide nothing.
_LEAST_LOOKS = 0.5
# An emotion peaks where so large a share shows it, and so much more than over the whole video.
_LEAST_PEAK, _LEAST_RISE = 0.4, 0.15
# The audience changes where so large a share shows something else in the next window.
_LEAST_CHANGE = 0.5
_LEAST_ENGAGED = 0.1


@dataclass(frozen=True, slots=True)
class _Window:
    """Some seconds: the moments with faces, faces at a time (mean), shares [7], engagement.

    Windows that follow each other have numbers that do.
    """

    number: int
    moments: tuple[AudienceMoment, ...]
    faces: float
    shares: tuple[float, ...]
    engagement: float

    @property
    def looks(self) -> int:
        return sum(moment.faces for moment in self.moments)

    @property
    def emotion(self) -> Emotion:
        return EMOTIONS[self.shares.index(max(self.shares))]


# A moment, and the window that decided on it.
_Found = tuple[_Window, KeyMoment]


def key_moments(audience: Audience, interval: float) -> tuple[KeyMoment, ...]:
    """Pick the times worth a look, in order of time; at most ``MOST_MOMENTS``.

    Args:
        audience: all faces over the video.
        interval: seconds between its moments.
    """
    windows = _windows(audience.moments, max(interval, _WINDOW_SECONDS))
    if not windows or audience.engagement is None:
        return ()
    usual = median(window.looks for window in windows)
    decisive = [window for window in windows if window.looks >= _LEAST_LOOKS * usual]
    peaks = list(_peaks(decisive, audience))
    told = [window for window, _ in peaks]
    changes = [moment for window, moment in _changes(decisive) if window not in told]
    extremes = _extremes(windows, decisive, audience.engagement.index)
    found = [*(moment for _, moment in peaks), *changes, *extremes]
    return tuple(sorted(found[:MOST_MOMENTS], key=lambda moment: moment.time))


def _windows(moments: Sequence[AudienceMoment], seconds: float) -> list[_Window]:
    """Join the moments with faces, window by window; each face counts the same."""
    windows = []
    seen = [moment for moment in moments if moment.engagement is not None]
    for number, group in groupby(seen, key=lambda moment: int(moment.time / seconds)):
        members = list(group)
        faces = np.array([moment.faces for moment in members], dtype=np.float64)
        shares = faces @ np.array([moment.shares for moment in members]) / faces.sum()
        indices = [moment.engagement.index for moment in members if moment.engagement]
        engagement = float(faces @ np.array(indices) / faces.sum())
        windows.append(
            _Window(number, tuple(members), float(faces.mean()), tuple(shares.tolist()), engagement)
        )
    return windows


def _peaks(windows: Sequence[_Window], audience: Audience) -> Iterator[_Found]:
    for row, emotion in enumerate(EMOTIONS):
        best = max(windows, key=lambda window: (window.shares[row], window.faces))
        share = best.shares[row]
        if emotion is Emotion.NEUTRAL or share < _LEAST_PEAK:
            continue
        if share - audience.shares[row] >= _LEAST_RISE:
            there = max(best.moments, key=lambda moment: (moment.shares[row], moment.faces))
            showing = _some_of(round(there.shares[row] * there.faces), there.faces)
            yield best, KeyMoment(there.time, "peak", f"Most {emotion}: {showing}.")


def _changes(windows: Sequence[_Window]) -> list[_Found]:
    """Return where the shares differ most from those of the window before, the largest first."""
    changes = []
    for before, after in pairwise(windows):
        if after.number != before.number + 1:
            continue
        moved = float(np.abs(np.subtract(after.shares, before.shares)).sum()) / 2
        if moved >= _LEAST_CHANGE and before.emotion is not after.emotion:
            turn = _turn(before, after)
            if turn:
                changes.append((moved, (after, turn)))
    changes.sort(key=lambda change: change[0], reverse=True)
    return [found for _, found in changes]


def _turn(before: _Window, after: _Window) -> KeyMoment | None:
    """Tell when most faces turned to what they mostly show afterwards, and from what.

    That may be before the border of the windows. None where no single moment shows it.
    """
    led = [(moment.time, _leading(moment)) for moment in (*before.moments, *after.moments)]
    emotions = [emotion for _, emotion in led]
    if after.emotion not in emotions[len(before.moments) :]:
        return None
    turned = emotions.index(after.emotion, len(before.moments))
    while turned and emotions[turned - 1] is after.emotion:
        turned -= 1
    former = [emotion for emotion in emotions[:turned] if emotion not in (None, after.emotion)]
    if not former:
        return None
    text = f"From mostly {former[-1]} to mostly {after.emotion}."
    return KeyMoment(led[turned][0], "change", text)


def _leading(moment: AudienceMoment) -> Emotion | None:
    """Return the emotion that more faces show than any other; None if two show as many."""
    most = max(moment.shares)
    return EMOTIONS[moment.shares.index(most)] if moment.shares.count(most) == 1 else None


def _extremes(
    windows: Sequence[_Window], decisive: Sequence[_Window], average: float
) -> Iterator[KeyMoment]:
    """Tell where the audience is most engaged, and where most faces are, if that stands out.

    Args:
        windows: all of them, in order of time.
        decisive: those with enough looks to tell engagement by.
        average: engagement's index of all faces in all moments.
    """
    engaged = max(decisive, key=lambda window: window.engagement)
    if engaged.engagement - average >= _LEAST_ENGAGED:
        there = max(engaged.moments, key=_index)
        text = f"Most engaged: an index of {_index(there):.2f}, against {average:.2f} on average."
        yield KeyMoment(there.time, "engaged", text)
    means = [window.faces for window in windows]
    if max(means) - min(means) >= 1:
        everywhere = (moment for window in windows for moment in window.moments)
        there = max(everywhere, key=lambda moment: moment.faces)
        yield KeyMoment(there.time, "fullest", f"Most faces: {there.faces}.")


def _index(moment: AudienceMoment) -> float:
    return moment.engagement.index if moment.engagement else 0.0


def _some_of(some: int, faces: int) -> str:
    if faces == 1:
        return "the one face in view"
    if some < faces:
        return f"{some} of {faces} faces"
    return "both faces" if faces == 2 else f"all {faces} faces"  # noqa: PLR2004  # two are both
