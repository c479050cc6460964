"""No test here waits for time to pass: batches are held and let go by hand."""

import asyncio
import threading
from collections.abc import Sequence

import pytest

from emotion.errors import Overloaded
from service.micro_batch import MicroBatcher


class Doubler:
    """Doubles numbers; notes each batch; waits at the gate while it is shut."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.gate = threading.Event()
        self.gate.set()
        self.begun = threading.Semaphore(0)

    def __call__(self, tasks: Sequence[int]) -> list[int]:
        self.batches.append(list(tasks))
        self.begun.release()
        assert self.gate.wait(10)
        if 13 in tasks:
            raise ValueError("13 brings bad luck")
        return [2 * task for task in tasks]

    async def has_begun(self) -> None:
        assert await asyncio.to_thread(self.begun.acquire, timeout=10)


def batcher_of(
    doubler: Doubler, *, max_batch: int = 4, threads: int = 1, max_waiting: int = 100
) -> MicroBatcher[int, int]:
    return MicroBatcher(doubler, max_batch=max_batch, threads=threads, max_waiting=max_waiting)


async def started(*calls: "asyncio.Task[list[int]]") -> None:
    """Let calls that were made run until they wait."""
    for _ in range(3):
        await asyncio.sleep(0)


async def test_a_lone_row_is_computed_at_once() -> None:
    doubler = Doubler()
    assert await batcher_of(doubler).run([21]) == [42]
    assert doubler.batches == [[21]]


async def test_no_rows_are_no_batch() -> None:
    doubler = Doubler()
    assert await batcher_of(doubler).run([]) == []
    assert doubler.batches == []


async def test_rows_that_gather_while_a_batch_is_computed_are_the_next_one() -> None:
    doubler = Doubler()
    batcher = batcher_of(doubler)
    doubler.gate.clear()
    first = asyncio.create_task(batcher.run([1]))
    await doubler.has_begun()
    others = [asyncio.create_task(batcher.run([row])) for row in (2, 3, 4)]
    await started(*others)
    doubler.gate.set()
    assert await asyncio.gather(first, *others) == [[2], [4], [6], [8]]
    assert doubler.batches == [[1], [2, 3, 4]]


async def test_a_batch_has_at_most_so_many_rows_and_they_keep_their_order() -> None:
    doubler = Doubler()
    rows = list(range(100, 110))
    assert await batcher_of(doubler, max_batch=4).run(rows) == [2 * row for row in rows]
    assert doubler.batches == [rows[:4], rows[4:8], rows[8:]]


async def test_an_exception_reaches_every_caller_of_its_batch_and_the_batcher_lives_on() -> None:
    doubler = Doubler()
    batcher = batcher_of(doubler)
    doubler.gate.clear()
    first = asyncio.create_task(batcher.run([1]))
    await doubler.has_begun()
    unlucky = [asyncio.create_task(batcher.run([row])) for row in (2, 13)]
    await started(*unlucky)
    doubler.gate.set()
    assert await first == [2]
    for call in unlucky:
        with pytest.raises(ValueError, match="bad luck"):
            await call
    assert await batcher.run([5]) == [10]


async def test_a_batch_function_that_stops_iterating_is_an_error_and_not_a_hang() -> None:
    def stop(tasks: Sequence[int]) -> list[int]:
        return [next(iter(())) for _ in tasks]

    batcher = MicroBatcher[int, int](stop, max_batch=4, threads=1, max_waiting=9)
    with pytest.raises(RuntimeError, match="ended early"):
        await batcher.run([1, 2])


async def test_too_few_results_are_an_error_and_not_a_hang() -> None:
    batcher = MicroBatcher[int, int](lambda _: [7], max_batch=4, threads=1, max_waiting=9)
    with pytest.raises(RuntimeError, match="1 results for 2 tasks"):
        await batcher.run([1, 2])
    assert await batcher.run([1]) == [7]


async def test_a_row_whose_caller_has_gone_away_is_not_computed() -> None:
    doubler = Doubler()
    batcher = batcher_of(doubler)
    doubler.gate.clear()
    first = asyncio.create_task(batcher.run([1]))
    await doubler.has_begun()
    gone, stays = [asyncio.create_task(batcher.run([row])) for row in (2, 3)]
    await started(gone, stays)
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    doubler.gate.set()
    assert [await first, await stays] == [[2], [6]]
    assert doubler.batches == [[1], [3]]


async def test_a_caller_may_go_away_while_its_row_is_computed() -> None:
    doubler = Doubler()
    batcher = batcher_of(doubler)
    doubler.gate.clear()
    gone = asyncio.create_task(batcher.run([1]))
    await doubler.has_begun()
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    doubler.gate.set()
    assert await batcher.run([2]) == [4]


async def test_rows_beyond_those_that_may_wait_are_refused_and_none_of_them_queued() -> None:
    doubler = Doubler()
    batcher = batcher_of(doubler, max_waiting=2)
    doubler.gate.clear()
    first = asyncio.create_task(batcher.run([1]))
    await doubler.has_begun()
    waits = asyncio.create_task(batcher.run([2]))
    await started(waits)
    with pytest.raises(Overloaded):
        await batcher.run([3, 4])
    doubler.gate.set()
    assert [await first, await waits] == [[2], [4]]
    assert doubler.batches == [[1], [2]]


async def test_several_threads_compute_several_batches_at_once() -> None:
    doubler = Doubler()
    batcher = batcher_of(doubler, max_batch=1, threads=2)
    doubler.gate.clear()
    call = asyncio.create_task(batcher.run([1, 2, 3]))
    await doubler.has_begun()
    await doubler.has_begun()
    assert sorted(doubler.batches) == [[1], [2]]
    doubler.gate.set()
    assert await call == [2, 4, 6]
    assert len(doubler.batches) == 3
