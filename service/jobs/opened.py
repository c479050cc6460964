"""The data folder, opened: rows and objects, and who is alive."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from service.database.connection import Database
from service.jobs.executors import Executors
from service.jobs.ledger import Ledger
from service.jobs.queue import Queue
from service.settings import Settings
from service.storage import ObjectStore


@dataclass(frozen=True, slots=True)
class OpenedFolder:
    """What is kept of videos.

    Attributes:
        database: of all rows.
        ledger: rows of videos.
        store: their objects.
        executors: rows of workers.
        queue: which rows go to them.
    """

    database: Database
    ledger: Ledger
    store: ObjectStore
    executors: Executors
    queue: Queue


@contextmanager
def opened_folder(settings: Settings) -> Iterator[OpenedFolder]:
    """Use the data folder while the block runs; what is missing in it is made.

    Raises:
        InvalidRequest: another installation uses it.
        StorageFull: there is no room.
        StorageUnavailable: it can't be read or written.
    """
    folder = settings.data_folder
    with folder.shared():
        store = ObjectStore(folder.objects)
        database = Database(folder.database_url)
        try:
            with folder.alone():
                database.migrate()
            executors = Executors(database, settings.worker_stale_seconds)
            queue = Queue(database, settings.tenant_jobs)
            yield OpenedFolder(database, Ledger(database), store, executors, queue)
        finally:
            database.close()
