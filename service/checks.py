"""What ``rapt check`` tries beside the models: where jobs are kept, what they read, who is told.

Nothing is made, and nothing is taken for one's own.
"""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial

from sqlalchemy import make_url

from service.database.connection import Database
from service.settings import Settings
from service.sources import Location, Sources
from service.storage.address import BucketAddress
from service.storage.bucket import BucketStore
from service.storage.ownership import is_marked_for

# Tries something, and returns a line for people; raises a RaptError that says what is wrong.
Check = Callable[[], str]


def storage_checks(settings: Settings) -> Iterator[Check]:
    """Give what the service can't start without."""
    if settings.database_url:
        yield partial(_rows, settings)
    if settings.bucket:
        yield partial(_objects, settings, settings.bucket)
    if settings.kafka_servers:
        yield partial(_kafka_settings, settings)


def outside_checks(settings: Settings) -> Iterator[Check]:
    """Give what the service starts without, and waits for."""
    sources = Sources()
    for location in settings.allowed_sources:
        yield partial(_source, sources, location)
    if settings.kafka_servers:
        yield partial(_kafka, settings)


def _rows(settings: Settings) -> str:
    with _database_that_is_there(settings):
        pass
    # Its options may have a password, too.
    address = make_url(settings.rows_url).set(query={}).render_as_string()
    return f"Database {address}: answers."


def _objects(settings: Settings, address: BucketAddress) -> str:
    with _database_that_is_there(settings) as database:
        mine = database.installation() if database and database.has_tables() else None
    store = BucketStore(address, settings.data_folder.fetched)
    with store.saying_why():
        is_marked = is_marked_for(
            mine.id if mine else None, store, str(address), mine.place if mine else None
        )
    whose = "has this database's objects" if is_marked else "answers, and is nobody's yet"
    return f"Bucket {address}: {whose}."


@contextmanager
def _database_that_is_there(settings: Settings) -> Iterator[Database | None]:
    """Use the database while the block runs; a file that isn't there is not made."""
    if not settings.database_url and not settings.data_folder.has_rows:
        yield None
        return
    with closing(Database(settings.rows_url)) as database:
        database.connect()
        yield database


def _kafka_settings(settings: Settings) -> str:
    # Imported late: only who has Kafka needs its client.
    from service.kafka.broker import Broker  # noqa: PLC0415

    Broker(settings)
    return "Kafka's options: can be used."


def _source(sources: Sources, location: Location) -> str:
    found = next(sources.below(location), None)
    what = "can be read" if found else "can be read; there is nothing below it yet"
    return f"Source {location}: {what}."


def _kafka(settings: Settings) -> str:
    from service.kafka.broker import Broker  # noqa: PLC0415
    from service.kafka.messages import TOPICS  # noqa: PLC0415

    missing = sorted(set(TOPICS) - Broker(settings).topics())
    lacking = f"; unless it makes topics by itself, make {', '.join(missing)}" if missing else ""
    return f"Kafka {settings.kafka_servers}: answers{lacking}."
