"""Adaptive batching inside one process: what arrives while a batch is computed is the next."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

from emotion.errors import Overloaded

Task = TypeVar("Task")
Result = TypeVar("Result")


class MicroBatcher(Generic[Task, Result]):
    """Hands rows of concurrent calls to one function, as many at a time as have gathered.

    A lone row is computed at once: nothing waits for a batch to fill. A row whose caller has
    gone away is not computed. To be used from one event loop.
    """

    def __init__(
        self,
        compute: Callable[[Sequence[Task]], list[Result]],
        *,
        max_batch: int,
        threads: int,
        max_waiting: int,
    ) -> None:
        """Prepare; the threads start with the first row.

        Args:
            compute: one result a task, in order; runs in a thread.
            max_batch: most rows a call of ``compute``.
            threads: calls of ``compute`` at once.
            max_waiting: rows that may wait; more are refused.
        """
        self._compute = compute
        self._max_batch = max_batch
        self._max_waiting = max_waiting
        self._idle = threads
        self._waiting: deque[tuple[Task, asyncio.Future[Result]]] = deque()
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="micro-batch")
        self._draining: set[asyncio.Task[None]] = set()

    async def run(self, tasks: Sequence[Task]) -> list[Result]:
        """Compute some rows, in batches with those of other callers.

        Raises:
            Overloaded: too many rows wait already; none of these was queued.
        """
        if len(self._waiting) + len(tasks) > self._max_waiting:
            raise Overloaded("Too much is waiting to be computed. Try again shortly.")
        loop = asyncio.get_running_loop()
        futures: list[asyncio.Future[Result]] = [loop.create_future() for _ in tasks]
        self._waiting.extend(zip(tasks, futures, strict=True))
        for _ in range(min(self._idle, len(tasks))):
            self._idle -= 1
            drain = loop.create_task(self._drain())
            self._draining.add(drain)
            drain.add_done_callback(self._draining.discard)
        return list(await asyncio.gather(*futures))

    async def _drain(self) -> None:
        """Compute batch after batch until nothing waits."""
        loop = asyncio.get_running_loop()
        try:
            while batch := self._take():
                tasks = [task for task, _ in batch]
                outcome = await loop.run_in_executor(self._pool, self._attempt, tasks)
                _settle([future for _, future in batch], outcome)
        finally:
            self._idle += 1

    def _take(self) -> list[tuple[Task, asyncio.Future[Result]]]:
        batch: list[tuple[Task, asyncio.Future[Result]]] = []
        while self._waiting and len(batch) < self._max_batch:
            task, future = self._waiting.popleft()
            if not future.done():
                batch.append((task, future))
        return batch

    def _attempt(self, tasks: list[Task]) -> list[Result] | BaseException:
        """Compute; an exception is handed to the callers, and the batcher lives on."""
        try:
            results = self._compute(tasks)
        except StopIteration as error:  # the one exception that a future doesn't take
            return RuntimeError(f"the batch function ended early: {error!r}")
        except BaseException as error:  # it is raised again in every caller
            return error
        if len(results) != len(tasks):
            return RuntimeError(f"{len(results)} results for {len(tasks)} tasks")
        return results


def _settle(futures: list["asyncio.Future[Result]"], outcome: list[Result] | BaseException) -> None:
    for row, future in enumerate(futures):
        if future.done():
            continue
        if isinstance(outcome, BaseException):
            future.set_exception(outcome)
        else:
            future.set_result(outcome[row])
