"""Signs that an upload still arrives: a row without any was left by a front that was killed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from service.jobs.job import Job
from service.jobs.ledger import Ledger
from service.storage_errors import StorageFull, StorageUnavailable

_SIGN_SECONDS = 10.0
# Six signs: storage may fail for a while, and the front with it.
ABANDONED_SECONDS = 60.0

log = structlog.get_logger()


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
        try:
            await asyncio.to_thread(ledger.still_arrives, job)
        except (StorageFull, StorageUnavailable) as error:
            log.warning("sign_not_given", job=job.id, why=str(error.__cause__ or error))
