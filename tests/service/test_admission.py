import asyncio

import pytest

from emotion.errors import Overloaded
from service.admission import Admission


def test_requests_are_let_in_up_to_the_limit() -> None:
    admission = Admission(max_in_flight=2, max_bytes=10, deadline_seconds=1)
    with admission.admit(), admission.admit(), pytest.raises(Overloaded), admission.admit():
        pass
    assert admission.in_flight == 0


def test_a_refusal_says_when_to_try_again() -> None:
    admission = Admission(max_in_flight=1, max_bytes=10, deadline_seconds=1)
    with admission.admit(), pytest.raises(Overloaded) as refusal, admission.admit():
        pass
    assert refusal.value.retry_after == 1.0
    assert refusal.value.message == "All 1 places for requests are taken. Try again shortly."


def test_a_place_is_free_again_after_an_error() -> None:
    admission = Admission(max_in_flight=1, max_bytes=10, deadline_seconds=1)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError), admission.admit():
            raise ZeroDivisionError
    assert admission.in_flight == 0


def test_bytes_are_held_up_to_the_limit_by_all_requests_together() -> None:
    admission = Admission(max_in_flight=2, max_bytes=10, deadline_seconds=1)
    with admission.admit() as one, admission.admit() as other:
        one.hold(6)
        other.hold(4)
        with pytest.raises(Overloaded, match="uploaded"):
            one.hold(1)


def test_bytes_are_given_back_when_a_request_ends() -> None:
    admission = Admission(max_in_flight=1, max_bytes=10, deadline_seconds=1)
    with admission.admit() as slot:
        slot.hold(10)
    with admission.admit() as slot:
        slot.hold(10)


def test_refused_bytes_are_not_held() -> None:
    admission = Admission(max_in_flight=1, max_bytes=10, deadline_seconds=1)
    with admission.admit() as slot:
        with pytest.raises(Overloaded):
            slot.hold(11)
        slot.hold(10)


def test_a_request_has_a_deadline_from_its_arrival_on() -> None:
    admission = Admission(max_in_flight=1, max_bytes=10, deadline_seconds=100)
    with admission.admit() as slot:
        assert 99 < slot.deadline.remaining <= 100


@pytest.mark.parametrize(("patience", "seconds"), [(30, 30), (300, 100), (0, 0)])
def test_a_caller_who_waits_for_less_has_an_earlier_deadline(patience: int, seconds: int) -> None:
    admission = Admission(max_in_flight=1, max_bytes=10, deadline_seconds=100)
    with admission.admit(patience) as slot:
        assert seconds - 1 < slot.deadline.remaining <= seconds


async def test_bodies_of_unknown_size_are_taken_in_a_few_at_a_time() -> None:
    admission = Admission(max_in_flight=9, max_bytes=10, deadline_seconds=9, max_unmeasured=2)
    taken = 0
    done = asyncio.Event()

    async def take() -> None:
        nonlocal taken
        with admission.admit() as slot:
            async with slot.receiving():
                taken += 1
                await done.wait()

    async with asyncio.TaskGroup() as group:
        for _ in range(3):
            group.create_task(take())
        await asyncio.sleep(0)
        assert (admission.in_flight, taken) == (3, 2)
        done.set()
    assert (admission.in_flight, taken) == (0, 3)
