"""Faces on known paths, and what a detector would make of them; seeded.

A scene is a minute of 1280x720. Faces of 50 to 160 pixels stroll at up to one of their widths a
second, turn round, cross each other, are hidden for a second, and leave the frame to come back as
somebody new. The detector shakes, misses, is unsure, and sees what isn't there.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmarks.identity import overlap
from emotion.faces import Box, Detection, Face, Landmarks
from emotion.video.observations import SampledFrame

WIDTH, HEIGHT, SECONDS = 1280, 720, 60.0
# Somebody hides for a second about this often, in seconds.
_HIDES_EVERY = 15.0
_HIDDEN = 1.0
# Somebody changes speed and direction, in seconds.
_WISHES_EVERY = (3.0, 7.0)
# Of the detector; its boxes shake on the street clip by so large a share of their size.
_SHAKE = 0.03
_MISSES, _UNSURE, _FALSE_A_FRAME = 0.04, 0.08, 0.05
# A face is hidden by one that is nearer and covers so much of it.
_COVERED = 0.55
_STEPS_A_SECOND = 50
_ASPECT = 1.3
_FLAT = (1 / 7,) * 7

# Where every visible person is at one moment, by number.
Truth = dict[int, Box]
Places = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Scene:
    """What is really there, moment by moment, and what the detector says of it."""

    truth: list[Truth]
    frames: list[SampledFrame]


def scene(seed: int, interval: float, people: int = 5) -> Scene:
    """Make a scene, sampled every ``interval`` seconds."""
    rng = np.random.default_rng(seed)
    walks = [_walk(rng) for _ in range(people)]
    moments = [round(step * interval, 3) for step in range(round(SECONDS / interval))]
    truth = [_visible(walks, moment) for moment in moments]
    frames = [
        SampledFrame(moment, _detect(rng, seen))
        for moment, seen in zip(moments, truth, strict=True)
    ]
    return Scene(truth, frames)


@dataclass(frozen=True, slots=True)
class _Walk:
    """One body's minute: places [steps, 2], width, and who it is at each step; -1 is nobody."""

    places: npt.NDArray[np.float64]
    width: float
    person: npt.NDArray[np.int64]


def _walk(rng: np.random.Generator) -> _Walk:
    """Stroll: the wish for a speed and direction changes now and then, the velocity follows it."""
    steps = int(SECONDS * _STEPS_A_SECOND)
    width = rng.uniform(50, 160)
    lowest = np.array([-2.0 * width, 0.6 * width])
    highest = np.array([WIDTH, HEIGHT]) - lowest
    place, velocity = rng.uniform((0, lowest[1]), (WIDTH, highest[1])), np.zeros(2)
    places = np.empty((steps, 2))
    wish, next_wish = np.zeros(2), 0
    for step in range(steps):
        if step == next_wish:
            next_wish += int(rng.uniform(*_WISHES_EVERY) * _STEPS_A_SECOND)
            along, down = rng.choice([-1.0, 1.0]), rng.uniform(-0.3, 0.3)
            wish = width * rng.uniform(0.1, 1.0) * np.array([along, down])
        wish = np.where(place < lowest, abs(wish), np.where(place > highest, -abs(wish), wish))
        velocity += (wish - velocity) * 2.0 / _STEPS_A_SECOND
        place = place + velocity / _STEPS_A_SECOND
        places[step] = place
    return _Walk(places, width, _who(rng, places))


def _who(rng: np.random.Generator, places: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Say who a body is: somebody new after it was outside, nobody while it is hidden."""
    beside = ((places < 0) | (places > (WIDTH, HEIGHT))).astype(np.int64).sum(axis=1)
    inside = np.equal(beside, 0)
    returns = np.flatnonzero(inside & ~np.concatenate([[False], inside[:-1]]))
    person = np.searchsorted(returns, np.arange(len(places)), side="right") - 1
    person += int(rng.integers(1, 2**31)) * 100
    hidden = np.zeros(len(places), dtype=bool)
    moment = rng.uniform(2, _HIDES_EVERY)
    while moment < SECONDS:
        start = int(moment * _STEPS_A_SECOND)
        hidden[start : start + int(_HIDDEN * _STEPS_A_SECOND)] = True
        moment += rng.uniform(_HIDES_EVERY / 2, 1.5 * _HIDES_EVERY)
    return np.where(inside & ~hidden, person, -1)


def _visible(walks: list[_Walk], moment: float) -> Truth:
    """Return who is seen: of faces that overlap, the larger is nearer."""
    step = min(round(moment * _STEPS_A_SECOND), int(SECONDS * _STEPS_A_SECOND) - 1)
    seen: Truth = {}
    for walk in sorted(walks, key=lambda one: one.width, reverse=True):
        if walk.person[step] < 0:
            continue
        x, y = walk.places[step]
        height = walk.width * _ASPECT
        box = Box(float(x - walk.width / 2), float(y - height / 2), walk.width, height)
        if all(overlap(box, other) / box.area < _COVERED for other in seen.values()):
            seen[int(walk.person[step])] = box
    return seen


def _detect(rng: np.random.Generator, seen: Truth) -> tuple[Face, ...]:
    faces = []
    for box in seen.values():
        chance = rng.uniform()
        if chance < _MISSES:
            continue
        score = rng.uniform(0.3, 0.6) if chance < _MISSES + _UNSURE else rng.uniform(0.7, 1.0)
        faces.append(_face(_shaken(rng, box), score))
    for _ in range(rng.poisson(_FALSE_A_FRAME)):
        side = rng.uniform(30, 120)
        box = Box(rng.uniform(0, WIDTH), rng.uniform(0, HEIGHT), side, side * _ASPECT)
        faces.append(_face(box, rng.uniform(0.3, 0.8)))
    return tuple(sorted(faces, key=lambda face: face.detection.box.area, reverse=True))


def _shaken(rng: np.random.Generator, box: Box) -> Box:
    x, y, wider, higher = rng.normal(0, _SHAKE, 4)
    width, height = box.width * np.exp(wider), box.height * np.exp(higher)
    return Box(
        float(box.x + box.width * x - (width - box.width) / 2),
        float(box.y + box.height * y - (height - box.height) / 2),
        float(width),
        float(height),
    )


def _face(box: Box, score: float) -> Face:
    middle = (box.x + box.width / 2, box.y + box.height / 2)
    landmarks: Landmarks = (middle, middle, middle, middle, middle)
    return Face(Detection(box, float(score), landmarks), _FLAT)
