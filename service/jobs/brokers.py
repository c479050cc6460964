"""Whether brokers of messages answer, as said by who is connected to them."""

import structlog
from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from service.database.clock import Now
from service.database.connection import Database
from service.database.tables import brokers

_KAFKA = "kafka"
_STALE_SECONDS = 30.0

log = structlog.get_logger()


class Brokers:
    """The table. Every method may raise ``StorageFull`` and ``StorageUnavailable``."""

    def __init__(self, database: Database) -> None:
        """Use a database whose tables are up to date."""
        self._database = database

    def say(self, *, is_up: bool) -> None:
        """Say whether Kafka answers now."""
        try:
            self._say(is_up=is_up)
        except IntegrityError:
            # Of two that begin at once, each may find no row; the next time there is one.
            log.info("kafka_state_said_by_another")

    def forget(self) -> None:
        """Say that nobody is connected any more."""
        with self._database.begin() as connection:
            connection.execute(delete(brokers))

    def is_up(self) -> bool | None:
        """Return whether Kafka answers; None where nobody is to be connected to it."""
        with self._database.begin() as connection:
            ago = (Now() - brokers.c.said_at).label("ago")
            row = connection.execute(select(brokers.c.is_up, ago)).first()
        if row is None:
            return None
        return bool(row.is_up) and row.ago < _STALE_SECONDS

    def _say(self, *, is_up: bool) -> None:
        said = {"is_up": is_up, "said_at": Now()}
        with self._database.begin() as connection:
            if not connection.execute(update(brokers).values(said)).rowcount:
                connection.execute(insert(brokers).values(id=_KAFKA, **said))
