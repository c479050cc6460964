"""Whether brokers of messages answer, as said by who is connected to them."""

import time

from sqlalchemy import delete, insert, select, update

from service.database.connection import Database
from service.database.tables import brokers

_KAFKA = "kafka"
_STALE_SECONDS = 30.0


class Brokers:
    """The table. Every method may raise ``StorageFull`` and ``StorageUnavailable``."""

    def __init__(self, database: Database) -> None:
        """Use a database whose tables are up to date."""
        self._database = database

    def say(self, *, is_up: bool) -> None:
        """Say whether Kafka answers now."""
        said = {"is_up": is_up, "said_at": time.time()}
        with self._database.begin() as connection:
            if not connection.execute(update(brokers).values(said)).rowcount:
                connection.execute(insert(brokers).values(id=_KAFKA, **said))

    def forget(self) -> None:
        """Say that nobody is connected any more."""
        with self._database.begin() as connection:
            connection.execute(delete(brokers))

    def is_up(self) -> bool | None:
        """Return whether Kafka answers; None where nobody is to be connected to it."""
        with self._database.begin() as connection:
            row = connection.execute(select(brokers)).first()
        if row is None:
            return None
        return bool(row.is_up) and time.time() - row.said_at < _STALE_SECONDS
