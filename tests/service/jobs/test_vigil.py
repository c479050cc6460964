from collections.abc import Sequence

from service.jobs.vigil import Vigil


def judged(times: Sequence[float], seconds: float = 15.0) -> list[bool]:
    """Look at some times; return when silence was taken for death."""
    passing = iter(times)
    vigil = Vigil(seconds, lambda: next(passing))
    return [vigil.is_long_enough() for _ in times]


def test_who_has_just_begun_to_look_takes_nobody_for_dead() -> None:
    assert judged([100.0, 105.0, 110.0, 114.9, 115.0]) == [False, False, False, False, True]


def test_after_a_break_it_begins_anew() -> None:
    times = [0.0, 7.0, 14.0, 20.0, 40.0, 47.0, 54.0, 55.0]
    assert judged(times) == [False, False, False, True, False, False, False, True]


def test_a_look_that_is_a_little_late_is_no_break() -> None:
    assert judged([0.0, 4.9, 9.8], seconds=2.0) == [False, True, True]
