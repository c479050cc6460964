import asyncio
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from service.ending import Ending
from tests.conftest import PROJECT
from tests.service.signals import hand_over

# In a process of its own: see `hand_over`.
_TOLD = """
import asyncio, signal, sys
from service.ending import Ending

async def hear(number):
    ending = Ending()
    with ending.heeding_signals():
        print(ending.is_told)
        signal.raise_signal(number)
        await ending.wait()
        print("told")

number = signal.Signals(int(sys.argv[1]))
signal.signal(number, lambda one, _frame: print(signal.Signals(one).name))
asyncio.run(hear(number))
"""


@pytest.fixture
def heard() -> Iterator[list[int]]:
    """Signals that came to whoever handles them in this process."""
    numbers: list[int] = []
    former = {
        number: signal.signal(number, lambda one, _frame: numbers.append(one))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    yield numbers
    for number, handler in former.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_tells_of_the_end_and_is_passed_on(number: signal.Signals) -> None:
    command = [sys.executable, "-c", _TOLD, str(int(number))]
    done = subprocess.run(  # noqa: S603  # our own words
        command, cwd=PROJECT, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.splitlines() == ["False", number.name, "told"]


async def test_after_the_block_signals_are_handled_as_before(heard: list[int]) -> None:
    ending = Ending()
    with ending.heeding_signals():
        pass
    hand_over(signal.SIGTERM)
    await asyncio.sleep(0)
    assert not ending.is_told
    assert heard == [signal.SIGTERM]


async def test_a_signal_that_is_left_to_the_system_is_not_called(heard: list[int]) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    ending = Ending()
    with ending.heeding_signals():
        hand_over(signal.SIGTERM)
        await asyncio.wait_for(ending.wait(), 5)
    assert heard == []


def test_in_another_thread_no_handler_is_set(heard: list[int]) -> None:
    failures: list[BaseException] = []

    async def heed() -> None:
        with Ending().heeding_signals():
            pass

    def run() -> None:
        try:
            asyncio.run(heed())
        except ValueError as error:
            failures.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert failures == []


async def test_a_block_may_take_any_time_until_the_end_is_told_and_then_its_seconds() -> None:
    ending = Ending()
    loop = asyncio.get_running_loop()
    began = loop.time()
    loop.call_later(0.05, ending.tell)
    with pytest.raises(TimeoutError):
        async with ending.bounding(0.1) as block:
            await asyncio.sleep(30)
    assert block.expired()
    assert 0.15 <= loop.time() - began < 20


async def test_a_block_that_begins_after_the_end_was_told_has_its_seconds() -> None:
    ending = Ending()
    ending.tell()
    ending.tell()
    with pytest.raises(TimeoutError):
        async with ending.bounding(0.01):
            await asyncio.sleep(30)


async def test_a_block_that_ends_in_time_is_left_alone() -> None:
    ending = Ending()
    async with ending.bounding(0.0):
        pass
    ending.tell()
