from collections.abc import Sequence

import pytest

from service.jobs.turns import InHand, Waiting, choose

HIGH, NORMAL, LOW = 1, 2, 3


def waiting(*jobs: str, rank: int = NORMAL) -> list[Waiting]:
    """Jobs as ``a1``: of tenant ``a``, waiting since 1."""
    return [Waiting(job, job[0], rank, float(job[1:])) for job in jobs]


def begun(*tenants: str) -> list[InHand]:
    return [InHand(tenant, NORMAL, is_begun=True) for tenant in tenants]


def in_reserve(*tenants: str, rank: int = NORMAL) -> list[InHand]:
    return [InHand(tenant, rank, is_begun=False) for tenant in tenants]


def chosen(
    jobs: Sequence[Waiting], in_hand: Sequence[InHand] = (), workers: int = 1, most: int = 0
) -> list[str]:
    return [one.id for one in choose(jobs, in_hand, workers, most)]


def test_a_worker_gets_one_to_work_on_and_one_in_reserve() -> None:
    jobs = waiting("a1", "a2", "a3", "a4", "a5")
    assert chosen(jobs) == ["a1", "a2"]
    assert chosen(jobs, workers=2) == ["a1", "a2", "a3", "a4"]


def test_who_has_both_gets_nothing_more() -> None:
    assert chosen(waiting("a1"), begun("a") + in_reserve("a")) == []
    assert chosen(waiting("a1"), begun("a", "a", "a")) == []


def test_without_workers_nothing_is_handed_out() -> None:
    assert chosen(waiting("a1"), workers=0) == []


def test_the_higher_rank_goes_first() -> None:
    jobs = waiting("a1", rank=LOW) + waiting("a2") + waiting("a3", rank=HIGH)
    assert chosen(jobs, workers=3) == ["a3", "a2", "a1"]


def test_a_higher_rank_passes_what_is_in_reserve() -> None:
    full = begun("a", "a") + in_reserve("a", "a")
    assert chosen(waiting("a1"), full, workers=2) == []
    assert chosen(waiting("a1", "a2", "a3", rank=HIGH), full, workers=2) == ["a1", "a2"]
    with_high = full + in_reserve("a", "a", rank=HIGH)
    assert chosen(waiting("a1", rank=HIGH), with_high, workers=2) == []


def test_tenants_take_turns() -> None:
    jobs = waiting("a1", "a2", "a3", "a4", "b5", "b6", "c7")
    assert chosen(jobs, workers=3) == ["a1", "b5", "c7", "a2", "b6", "a3"]


def test_the_tenant_with_the_fewest_in_hand_goes_first() -> None:
    in_hand = begun("a", "b") + in_reserve("a")
    assert chosen(waiting("a1", "b2", "c3"), in_hand, workers=3) == ["c3", "b2", "a1"]


def test_a_tenant_has_no_more_in_hand_than_its_bound() -> None:
    jobs = waiting("a1", "a2", "a3", "b4")
    assert chosen(jobs, workers=4, most=1) == ["a1", "b4"]
    assert chosen(jobs, begun("a"), workers=4, most=2) == ["b4", "a1"]


def test_a_bound_that_is_reached_holds_for_high_ranks_too() -> None:
    assert chosen(waiting("a1", rank=HIGH), begun("a"), workers=4, most=1) == []


@pytest.mark.parametrize("jobs", [("a1", "a2"), ("a2", "a1")])
def test_of_one_tenant_the_job_that_waits_longest_goes_first(jobs: tuple[str, ...]) -> None:
    assert chosen(waiting(*jobs)) == ["a1", "a2"]
