"""A job's progress as server-sent events, until it has ended.

https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool

from emotion.errors import Overloaded
from service.ending import Ending
from service.http.job_answers import JobBody
from service.jobs.errors import UnknownJob
from service.jobs.job import ENDED, Job, Owner
from service.storage_errors import StorageUnavailable

if TYPE_CHECKING:
    from service.jobs.desk import Desk

MEDIA_TYPE = "text/event-stream"
_LOOK_SECONDS = 0.5
_QUIET_SECONDS = 15.0  # Proxies close connections that say nothing for a minute.
_RETRY_AFTER = 10.0


class Followers:
    """Bounds how many callers follow jobs at once. To be used from one event loop."""

    def __init__(self, most: int, ending: Ending) -> None:
        """Set the bound; all of them are let go when the end is told."""
        self._most = most
        self._ending = ending
        self._count = 0

    def follow(self, desk: "Desk", owner: Owner, job: Job) -> AsyncIterator[bytes]:
        """Count one more caller while events of a job are passed on; see ``events_of``.

        Raises:
            Overloaded: there are too many.
        """
        if self._count >= self._most:
            raise Overloaded(
                f"{self._most} callers follow jobs already. Ask for the state now and then.",
                _RETRY_AFTER,
            )
        return self._passed_on(events_of(desk, owner, job, self._ending))

    async def _passed_on(self, events: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        self._count += 1
        try:
            async for event in events:
                yield event
        finally:
            self._count -= 1


async def events_of(desk: "Desk", owner: Owner, job: Job, ending: Ending) -> AsyncIterator[bytes]:
    """Tell of a job whenever something changes, and last of how it ended.

    Events are ``progress``, and at the end ``done``, ``failed``, ``cancelled`` or ``deleted``. Each
    says all that there is to know, so one who comes back has missed nothing: as is needed where
    the service ends first.
    """
    said, spoke = "", time.monotonic()
    while not ending.is_told:
        try:
            job = await run_in_threadpool(desk.get, owner, job.kind, job.id)
            is_worked_on = await run_in_threadpool(desk.is_worked_on)
        except UnknownJob:
            yield _event("deleted", "{}")
            return
        except StorageUnavailable:
            # The caller's client comes back by itself.
            return
        now = JobBody.of(job, is_worked_on=is_worked_on).model_dump_json()
        if job.state in ENDED:
            yield _event(job.state, now)
            return
        if now != said:
            said, spoke = now, time.monotonic()
            yield _event("progress", now)
        elif time.monotonic() - spoke > _QUIET_SECONDS:
            spoke = time.monotonic()
            yield b": still there\n\n"
        await asyncio.sleep(_LOOK_SECONDS)


def _event(name: str, data: str) -> bytes:
    return f"event: {name}\ndata: {data}\n\n".encode()
