import numpy as np
import pytest

from emotion.faces import Box
from emotion.video.motion import Motion, distances_in_faces, places_of


def walk(steps: int, speed: float) -> Motion:
    """Follow a face 100 pixels wide and high that walks along."""
    motion = Motion.beginning(places_of([Box(0, 0, 100, 100)]))
    for step in range(1, steps):
        seen = places_of([Box(speed * 0.5 * step, 0, 100, 100)])
        motion = motion.after(0.5).corrected([0], seen)
    return motion


def test_a_box_is_its_centre_and_size() -> None:
    assert places_of([Box(10, 20, 30, 120)]).tolist() == [[25.0, 80.0, pytest.approx(np.log(60))]]


def test_no_boxes_are_no_places() -> None:
    assert places_of([]).shape == (0, 3)


def test_velocity_is_learnt() -> None:
    motion = walk(8, speed=80.0)
    assert motion.velocity[0, 0] == pytest.approx(80, rel=0.05)
    assert motion.after(1.0).place[0, 0] == pytest.approx(50 + 80 * 3.5 + 80, abs=8)


def test_what_is_not_seen_grows_uncertain() -> None:
    motion = walk(4, speed=0.0)
    spreads = [motion.after(seconds).covariance[0, 0, 0] for seconds in (0.1, 0.5, 1.0, 2.0)]
    assert spreads == sorted(spreads)
    assert spreads[-1] > 20 * spreads[0]


def test_a_likely_place_is_nearer_than_an_unlikely_one() -> None:
    motion = walk(8, speed=80.0).after(0.5)
    expected = motion.place[0]
    squared, costs = motion.distances(expected + np.array([[0, 0, 0], [60, 0, 0]]))
    assert squared[0, 0] == pytest.approx(0)
    assert costs[0, 0] < costs[0, 1]


def test_distance_in_faces_counts_sizes() -> None:
    face = places_of([Box(0, 0, 100, 100)])
    places = face + np.array([[50.0, 0.0, 0.0], [0.0, 0.0, np.log(2)]])
    assert distances_in_faces(face, places)[0] == pytest.approx([0.5, 2 * np.log(2)])


def test_some_faces_are_kept_and_others_join() -> None:
    places = places_of([Box(0, 0, 10, 10), Box(50, 0, 20, 20)])
    both = Motion.beginning(places)
    swapped = both.kept([1]).joined(both.kept([0]))
    assert swapped.place.tolist() == places[::-1].tolist()
