import pytest

from loadtests.shapes import SHAPES, SPIKE_TIMES, Stage, stage_at, stretched

SHAPE = (Stage("one", 2.0), Stage("two", 3.0, times=4.0))


@pytest.mark.parametrize(
    ("seconds", "name"), [(0.0, "one"), (1.9, "one"), (2.0, "two"), (4.9, "two"), (5.0, None)]
)
def test_each_moment_has_its_stage(seconds: float, name: str | None) -> None:
    stage = stage_at(SHAPE, seconds)
    assert (stage.name if stage else None) == name


def test_a_stretched_shape_takes_so_many_times_as_long_and_the_time_to_recover_stays() -> None:
    shape = stretched(SHAPES["spike"], 0.5)
    assert [(stage.name, stage.seconds) for stage in shape] == [
        ("warm-up", 2.5), ("before", 15.0), ("spike", 10.0), ("recovery", 10.0), ("after", 15.0),
    ]  # fmt: skip
    assert [stage.times for stage in shape] == [1.0, 1.0, 12.0, 1.0, 1.0]


def test_a_spike_offers_more_than_it_promises() -> None:
    times = {stage.name: stage.times for stage in SHAPES["spike"]}
    assert times["spike"] > SPIKE_TIMES


@pytest.mark.parametrize("name", list(SHAPES))
def test_no_two_stages_of_a_shape_share_their_figures(name: str) -> None:
    names = [stage.name for stage in SHAPES[name]]
    assert len(set(names)) == len(names)
    assert any(stage.is_judged for stage in SHAPES[name])
