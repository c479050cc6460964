"""Where jobs are kept, opened: rows and objects, and who is alive.

All of it lies in the data folder, or rows in a PostgreSQL, or objects in a bucket.
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

from service.database.connection import Database
from service.jobs.executors import Executors
from service.jobs.ledger import Ledger
from service.jobs.queue import Queue
from service.settings import Settings
from service.storage.bucket import BucketStore
from service.storage.folder import FolderStore
from service.storage.objects import ObjectStore
from service.storage.ownership import take_for


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
        InvalidRequest: another installation uses it, or a database or bucket can't be used.
        StorageFull: there is no room.
        StorageUnavailable: it can't be read or written.
    """
    with migrated_database(settings) as database:
        executors = Executors(database, settings.worker_stale_seconds)
        store = _store(settings, database)
        queue = Queue(database, settings.tenant_jobs)
        yield OpenedFolder(database, Ledger(database), store, executors, queue)


@contextmanager
def migrated_database(settings: Settings) -> Iterator[Database]:
    """Use the rows while the block runs, their tables up to date; see ``opened_folder``."""
    folder = settings.data_folder
    with folder.shared(), closing(Database(settings.rows_url)) as database:
        database.connect()
        with folder.alone():
            database.migrate()
        yield database


def _store(settings: Settings, database: Database) -> ObjectStore:
    if settings.bucket:
        bucket = BucketStore(settings.bucket, settings.data_folder.fetched)
        with bucket.saying_why():
            _take(database, bucket, str(settings.bucket))
        return bucket
    folder = FolderStore(settings.data_folder.objects)
    if settings.database_url:
        _take(database, folder, str(settings.data_folder.objects))
    return folder


def _take(database: Database, store: ObjectStore, place: str) -> None:
    installation = database.installation()
    take_for(installation.id, store, place, installation.place)
    if place != installation.place:
        database.note_place(place)
