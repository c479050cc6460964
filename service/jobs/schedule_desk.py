"""What the front does with schedules: takes them in, tells of them, deletes them."""

import time
import uuid
from collections.abc import Mapping
from typing import Any

from emotion.errors import InvalidRequest
from service.database.connection import Database
from service.jobs.job import Kind, Owner
from service.jobs.requests import settings_of
from service.jobs.schedules import Schedule, Schedules, next_time
from service.settings import Settings
from service.sources import allowed_location

_MOST = 100  # Of a tenant.


class ScheduleDesk:
    """One a process of the front. Every method may raise ``StorageUnavailable``."""

    def __init__(self, database: Database, settings: Settings) -> None:
        """Stand before an opened database."""
        self._schedules = Schedules(database)
        self._settings = settings

    def add(
        self, owner: Owner, kind: Kind, prefix: str, cron: str, asked: Mapping[str, Any]
    ) -> Schedule:
        """Make a schedule; it is first looked at when its time comes.

        Args:
            owner: whose.
            kind: of its jobs.
            prefix: below which its files lie; a URI that ends in a slash.
            cron: when it is looked at; see ``Schedule``.
            asked: settings of its jobs; see ``settings_of``.

        Raises:
            InvalidRequest: one of these can't be used, or there are too many schedules.
        """
        if not allowed_location(prefix, self._settings.allowed_sources).is_prefix:
            raise InvalidRequest(f"prefix: {prefix[:64]!r} does not end in a slash.")
        settings_of(kind, asked, self._settings)
        next_at = next_time(cron, time.time())
        if len(self._schedules.of(owner)) >= _MOST:
            raise InvalidRequest(f"There are {_MOST} schedules already. Delete one.")
        return self._schedules.add(
            owner,
            id=uuid.uuid4().hex,
            kind=kind,
            prefix=prefix,
            cron=cron,
            settings=dict(asked),
            next_at=next_at,
        )

    def get(self, owner: Owner, schedule_id: str) -> Schedule:
        """Return a schedule; see ``Schedules.get``."""
        return self._schedules.get(owner, schedule_id)

    def of(self, owner: Owner) -> list[Schedule]:
        """Return all of a tenant's."""
        return self._schedules.of(owner)

    def delete(self, owner: Owner, schedule_id: str) -> None:
        """Delete one, and what is known of its files; its jobs stay.

        Raises:
            UnknownSchedule: see ``Schedules.get``.
        """
        self._schedules.delete(self.get(owner, schedule_id))
