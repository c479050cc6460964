"""Which faces of consecutive frames are one: told by where they are and how they move alone.

Faces are associated in rounds, as ByteTrack does (Zhang et al. 2022): first those the detector is
sure of, then the unsure ones, which may go on with a face but never begin one. What is compared is
not the overlap of boxes but how likely a box is, given the face's motion: at two samples a second,
boxes of one face don't overlap when it walks. Whoever is near enough may be the same, however they
jumped: a dancer, or a camera that shakes. Who was seen a moment ago competes with those who are
hidden, or somebody long out of sight would take their face. Who was hidden must come back near
where they were or would be: what the motion allows is soon half the frame, and full of others.
Nobody's size changes quickly. Nothing is learnt of what a face looks like, so somebody who comes
back elsewhere is somebody new, and who appears in another's place is taken for them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from emotion.faces import Face
from emotion.video.motion import Floats, Motion, distances_in_faces, places_of
from emotion.video.observations import SampledFrame
from emotion.video.pairing import cheapest_pairs

# Somebody may be hidden for so many seconds, from sight to sight, and still be the same.
LONGEST_GAP = 3.0
# Who was seen once only, for so many: they walked by.
_LONGEST_GAP_ONCE = 1.5
# Squared Mahalanobis distances beyond which it is somebody else: 1 in 1,000 and 1 in 50 of the
# same face's are larger (chi-square, three degrees of freedom).
_FURTHEST_SURE, _FURTHEST_UNSURE = 16.3, 9.8
# A face may be so many faces away from where it was, or from where it would be: one that was seen
# a moment ago, and one that was hidden, for whom this is a limit beside that of its motion.
_FURTHEST_JUMP, _FURTHEST_RETURN = 1.0, 0.9
# What it costs to be a face away, as a squared distance, where the motion doesn't explain it.
_JUMP_COST = 2.0
# The logarithm of the size changes by so much at most where one was seen a moment ago, as boxes do
# of faces that turn or come out from behind another, and where one was hidden; and by so much more
# a second: who walks to the camera grows by an eighth.
_GROWTH_AT_ONCE, _GROWTH_HIDDEN, _GROWTH_A_SECOND = 0.25, 0.15, 0.1
# A face that is seen once must be as sure as this, or it was none.
_SURE_AT_ONCE = 0.9
_SIGHTS = 2

Bools = npt.NDArray[np.bool_]
# The number of each face's track, frame by frame; None is a face that isn't tracked.
Numbers = list[tuple[int | None, ...]]


@dataclass(slots=True)
class _Track:
    """One face over time.

    Attributes:
        sights: where it was seen: frame, place among the frame's faces.
        seen_at: seconds; when it was last seen.
        place: float64 [3], where, as of ``places_of``.
        best_score: of the detector.
    """

    sights: list[tuple[int, int]]
    seen_at: float
    place: Floats
    best_score: float

    def see(self, sight: tuple[int, int], time: float, place: Floats, score: float) -> None:
        self.sights.append(sight)
        self.seen_at, self.place = time, place
        self.best_score = max(self.best_score, score)


def track_faces(
    frames: Sequence[SampledFrame],
    cuts: Sequence[float],
    size: tuple[int, int],
    sure: float,
) -> Numbers:
    """Follow faces through a video.

    Args:
        frames: in order of time.
        cuts: times at which a new shot begins; no face is followed across.
        size: width and height of a frame, in pixels; who leaves it is not followed.
        sure: the detector's score from which a face may begin a track.

    Returns:
        For each frame, the number of each of its faces: from 0, in the order in which they appear.
    """
    tracker = _Tracker(size, sure)
    borders = iter([*sorted(cuts), float("inf")])
    border = next(borders)
    for index, frame in enumerate(frames):
        if frame.time >= border:
            tracker.end_all()
            while frame.time >= border:
                border = next(borders)
        tracker.follow(index, frame)
    tracker.end_all()
    return _numbers(frames, tracker.ended)


class _Tracker:
    """The faces that are followed at one moment, and those that were."""

    def __init__(self, size: tuple[int, int], sure: float) -> None:
        self.ended: list[_Track] = []
        self._sure = sure
        self._size = np.array(size, dtype=np.float64)
        self._tracks: list[_Track] = []
        self._motion = Motion.beginning(places_of([]))
        self._before = self._now = 0.0

    def end_all(self) -> None:
        """Follow nobody any more."""
        self._keep([])

    def follow(self, index: int, frame: SampledFrame) -> None:
        """Find the faces again in the next frame."""
        self._motion = self._motion.after(frame.time - self._now)
        self._before, self._now = self._now, frame.time
        faces = frame.faces
        sure = [row for row, face in enumerate(faces) if face.detection.score >= self._sure]
        unsure = [row for row, face in enumerate(faces) if face.detection.score < self._sure]
        everyone = list(range(len(self._tracks)))
        pairs = self._associate(everyone, faces, sure, _FURTHEST_SURE, jumps=True)
        others = [track for track in everyone if track not in pairs]
        pairs |= self._associate(others, faces, unsure, _FURTHEST_UNSURE, jumps=False)
        places = places_of([face.detection.box for face in faces])
        self._motion = self._motion.corrected(list(pairs), places[list(pairs.values())])
        for track, row in pairs.items():
            score = faces[row].detection.score
            self._tracks[track].see((index, row), frame.time, places[row], score)
        self._keep([track for track in everyone if track in pairs or self._may_return(track)])
        taken = set(pairs.values())
        self._begin(index, frame, [row for row in sure if row not in taken])

    def _associate(
        self,
        tracks: list[int],
        faces: Sequence[Face],
        rows: list[int],
        furthest: float,
        *,
        jumps: bool,
    ) -> dict[int, int]:
        """Pair some tracks with some faces, the most likely pairs there are.

        With ``jumps``, who is near may be there whatever their motion allows, and is taken to be
        about as likely there as at its border.
        """
        if not tracks or not rows:
            return {}
        places = places_of([faces[row].detection.box for row in rows])
        squared, costs = self._motion.kept(tracks).distances(places)
        fresh, near, away = self._nearness(tracks, places)
        expected = squared <= furthest
        possible = expected & (fresh | near)
        if jumps:
            possible |= near
            costs = np.where(expected, costs, costs - squared + furthest + _JUMP_COST * away**2)
        pairs = cheapest_pairs(costs, possible)
        return {tracks[one]: rows[other] for one, other in pairs}

    def _nearness(self, tracks: list[int], places: Floats) -> tuple[Bools, Bools, Floats]:
        """Compare where n faces were and would be with m places, but for their motion's spread.

        Returns:
            [n, 1]: whether each was seen in the frame before; two of [n, m]: whether it may be at
            a place by its distance and size, and how many faces away that is.
        """
        seen_at = np.array([[self._tracks[track].seen_at] for track in tracks])
        seen = np.stack([self._tracks[track].place for track in tracks])
        away = np.minimum(
            distances_in_faces(self._motion.place[tracks], places),
            distances_in_faces(seen, places),
        )
        fresh = seen_at == self._before
        growth = np.abs(places[np.newaxis, :, 2] - seen[:, np.newaxis, 2])
        growth -= _GROWTH_A_SECOND * (self._now - seen_at)
        near = (away <= np.where(fresh, _FURTHEST_JUMP, _FURTHEST_RETURN)) & (
            growth <= np.where(fresh, _GROWTH_AT_ONCE, _GROWTH_HIDDEN)
        )
        return fresh, near, away

    def _may_return(self, track: int) -> bool:
        """Say whether a face that isn't seen is awaited: not for long, and inside the frame."""
        centre, one = self._motion.place[track, :2], self._tracks[track]
        inside = bool(np.all(centre >= 0) and np.all(centre <= self._size))
        longest = LONGEST_GAP if len(one.sights) > 1 else _LONGEST_GAP_ONCE
        return inside and self._now - one.seen_at < longest

    def _keep(self, tracks: list[int]) -> None:
        kept = set(tracks)
        self.ended += [one for track, one in enumerate(self._tracks) if track not in kept]
        self._tracks = [self._tracks[track] for track in tracks]
        self._motion = self._motion.kept(tracks)

    def _begin(self, index: int, frame: SampledFrame, rows: list[int]) -> None:
        found = [frame.faces[row].detection for row in rows]
        places = places_of([one.box for one in found])
        self._tracks += [
            _Track([(index, row)], frame.time, place, one.score)
            for row, place, one in zip(rows, places, found, strict=True)
        ]
        self._motion = self._motion.joined(Motion.beginning(places))


def _numbers(frames: Sequence[SampledFrame], tracks: Sequence[_Track]) -> Numbers:
    numbers: list[list[int | None]] = [[None] * len(frame.faces) for frame in frames]
    believed = [
        track.sights
        for track in tracks
        if len(track.sights) >= _SIGHTS or track.best_score >= _SURE_AT_ONCE
    ]
    for number, sights in enumerate(sorted(believed)):
        for index, row in sights:
            numbers[index][row] = number
    return [tuple(row) for row in numbers]
