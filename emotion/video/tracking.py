"""Which faces of consecutive frames are one: told by where they are and how they move alone.

Faces are associated in rounds, as ByteTrack does (Zhang et al. 2022): first those the detector is
sure of, then the unsure ones, which may go on with a face but never begin one. What is compared is
not the overlap of boxes but how likely a box is, given the face's motion: at two samples a second,
boxes of one face don't overlap when it walks. Whoever was seen a moment ago and is near enough may
be the same, however they jumped: a dancer, or a camera that shakes. They compete with those who
are hidden, or somebody long out of sight would take their face. Nothing is learnt of what a face
looks like, so somebody who comes back is somebody new.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from emotion.faces import Face
from emotion.video.motion import Floats, Motion, places_of
from emotion.video.observations import SampledFrame

# Somebody may be hidden for so many seconds, from sight to sight, and still be the same.
LONGEST_GAP = 3.0
# Squared Mahalanobis distances beyond which it is somebody else: 1 in 1,000 and 1 in 50 of the
# same face's are larger (chi-square, three degrees of freedom).
_FURTHEST_SURE, _FURTHEST_UNSURE = 16.3, 9.8
# A face that was seen a moment ago may be so many faces away, from there or from where it would be.
_FURTHEST_JUMP = 1.0
# Where a face that was seen once is going, nobody knows: when it's hidden, what its motion allows
# is soon half the frame. It may come back so many faces away, and no further.
_FURTHEST_UNKNOWN = 1.0
_IMPOSSIBLE = 1e9
# A face that is seen once must be as sure as this, or it was none.
_SURE_AT_ONCE = 0.9
_SIGHTS = 2

# The number of each face's track, frame by frame; None is a face that isn't tracked.
Numbers = list[tuple[int | None, ...]]


@dataclass(slots=True)
class _Track:
    """One face over time: where it was seen (frame, place among the frame's faces), and how."""

    sights: list[tuple[int, int]]
    seen_at: float
    best_score: float

    def see(self, sight: tuple[int, int], time: float, score: float) -> None:
        self.sights.append(sight)
        self.seen_at = time
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
        self._earlier = self._motion = Motion.beginning(places_of([]))
        self._before = self._now = 0.0

    def end_all(self) -> None:
        """Follow nobody any more."""
        self._keep([])

    def follow(self, index: int, frame: SampledFrame) -> None:
        """Find the faces again in the next frame."""
        self._earlier, self._motion = self._motion, self._motion.after(frame.time - self._now)
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
            self._tracks[track].see((index, row), frame.time, faces[row].detection.score)
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

        With ``jumps``, who was seen in the frame before may be anywhere near, too, and is taken
        to be as likely there as at the border of what the motion allows.
        """
        if not tracks or not rows:
            return {}
        places = places_of([faces[row].detection.box for row in rows])
        motion, earlier = self._motion.kept(tracks), self._earlier.kept(tracks)
        squared, costs = motion.distances(places)
        far = motion.distances_in_faces(places)
        fresh = np.array([[self._tracks[track].seen_at == self._before] for track in tracks])
        known = np.array([[len(self._tracks[track].sights) > 1] for track in tracks])
        possible = (squared <= furthest) & (fresh | known | (far <= _FURTHEST_UNKNOWN))
        if jumps:
            nearest = np.minimum(far, earlier.distances_in_faces(places))
            near = fresh & (nearest <= _FURTHEST_JUMP)
            costs = np.where(near, costs - np.maximum(squared - furthest, 0.0), costs)
            possible |= near
        return _cheapest(tracks, rows, np.where(possible, costs, _IMPOSSIBLE))

    def _may_return(self, track: int) -> bool:
        """Say whether a face that isn't seen is awaited: not for long, and inside the frame."""
        centre = self._motion.place[track, :2]
        inside = bool(np.all(centre >= 0) and np.all(centre <= self._size))
        return inside and self._now - self._tracks[track].seen_at < LONGEST_GAP

    def _keep(self, tracks: list[int]) -> None:
        kept = set(tracks)
        self.ended += [one for track, one in enumerate(self._tracks) if track not in kept]
        self._tracks = [self._tracks[track] for track in tracks]
        self._motion = self._motion.kept(tracks)

    def _begin(self, index: int, frame: SampledFrame, rows: list[int]) -> None:
        found = [frame.faces[row].detection for row in rows]
        self._tracks += [
            _Track([(index, row)], frame.time, one.score)
            for row, one in zip(rows, found, strict=True)
        ]
        beginning = Motion.beginning(places_of([one.box for one in found]))
        self._motion = self._motion.joined(beginning)


def _cheapest(tracks: list[int], rows: list[int], costs: Floats) -> dict[int, int]:
    """Return the possible pairs that cost least together."""
    chosen = zip(*linear_sum_assignment(costs), strict=True)
    return {tracks[one]: rows[other] for one, other in chosen if costs[one, other] < _IMPOSSIBLE}


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
