"""Jobs that have ended."""

import tempfile
from pathlib import Path

from sqlalchemy import select

from service.database.connection import Database
from service.database.tables import jobs
from service.delivery.deliveries import Delivery
from service.jobs.job import LOCAL, Job, Kind, State

ENDED_AT = 1_790_000_000.0


def ended_job(state: State = State.DONE, error: str | None = None) -> Job:
    values = {
        "id": "ab" * 16,
        "tenant": LOCAL.tenant,
        "purpose": LOCAL.purpose,
        "kind": Kind.VIDEO,
        "state": state,
        "created_at": ENDED_AT - 60.0,
        "ended_at": ENDED_AT,
        "name": "party.mp4",
        "settings": {},
        "error": error,
    }
    # Through a real row: what a column is by default is said in one place.
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{Path(folder) / 'rapt.db'}")
        database.migrate()
        with database.begin() as connection:
            connection.execute(jobs.insert().values(values))
            job = Job.of(connection.execute(select(jobs)).mappings().one())
        database.close()
    return job


def delivery_to(address: str, state: State = State.DONE, error: str | None = None) -> Delivery:
    return Delivery("cd" * 16, ended_job(state, error), address, 1)
