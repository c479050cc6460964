"""Signs that an upload still arrives: a row without any was left by a front that was killed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from service.chores import do_chore
from service.jobs.job import Job
from service.jobs.ledger import Ledger

_SIGN_SECONDS = 10.0
# Six signs: storage may fail for a while, and the front with it.
ABANDONED_SECONDS = 60.0
# Four signs: who was giving one as the database came back may wait for two before it fails.
WATCHED_SECONDS = 40.0


@asynccontextmanager
async def said_to_arrive(ledger: Ledger, job: Job) -> AsyncIterator[None]:
    """Say again and again that a job's upload is arriving, while the block runs."""
    saying = asyncio.create_task(_say(ledger, job))
    try:
        yield
    finally:
        saying.cancel()
        await asyncio.gather(saying, return_exceptions=True)


async def _say(ledger: Ledger, job: Job) -> None:
    while True:
        await asyncio.sleep(_SIGN_SECONDS)
        await asyncio.to_thread(do_chore, "sign_of_upload", partial(ledger.still_arrives, job))
