"""The worker: ``python -m service.worker`` works on jobs until it is told to end.

Any number may run; each works on one job at a time. SIGTERM and Ctrl-C hand back what is in work,
and nothing is lost if it is killed.
"""

import re
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from itertools import count

import structlog

from service.chores import do_chore
from service.database.connection import Database
from service.jobs.claims import Claims
from service.jobs.executors import Heartbeat
from service.jobs.inputs import Inputs
from service.jobs.late_analyses import LateAnalyses
from service.jobs.opened import OpenedFolder, opened_folder
from service.jobs.patience import Patience
from service.jobs.promises import Channel
from service.jobs.scheduler import Scheduler
from service.jobs.schedules import Schedules
from service.jobs.signs import WATCHED_SECONDS
from service.jobs.steward import Steward
from service.jobs.vigil import Vigil
from service.jobs.work import Analyses, Work
from service.jobs.workflow import Workflows
from service.periodic import Periodic
from service.settings import Settings, load_settings
from service.sources import Sources
from service.tracing.set_up import traced
from service.until_told import run_until_told

_LOOK_SECONDS = 1.0
_LOOKS_FOR_THE_OLD = 10
_SCHEDULE_SECONDS = 5.0
_HEARTBEAT = "heartbeat"
_COURIER_SECONDS = 3.0  # For what is being sent when the worker ends; else it is sent again.
_BEATS = 5  # Signs of life within the time after which a worker is taken for dead.

log = structlog.get_logger()


def main(ending: threading.Event) -> None:
    """Run a worker until an event is set; see ``work_until``."""
    settings = load_settings()
    work_until(ending, settings, LateAnalyses(partial(_inline_analyses, settings)))


def work_until(ending: threading.Event, settings: Settings, analyses: Analyses) -> None:
    """Work on jobs until an event is set.

    Raises:
        InvalidRequest: the data folder, or this worker's name, is another's; or a database or a
            bucket can't be used.
        StorageFull: the data folder can't be opened.
        StorageUnavailable: likewise.
    """
    # Of several machines, each has a first worker.
    names = _host_name() if settings.database_url else "worker"
    place = settings.data_folder.place(settings.executor_id, names)
    sources, patience = Sources(), Patience(settings.storage_tries, ending)
    with (
        traced("worker"),
        opened_folder(settings) as folder,
        place as executor,
        _courier(settings, folder.database),
        _said_to_live(folder.database, executor, settings.worker_stale_seconds),
        _schedules_looked_at(folder, sources, settings, ending),
    ):
        workflows = Workflows(settings.workflows_url, executor)
        vigils = Vigil(settings.worker_stale_seconds), Vigil(WATCHED_SECONDS)
        steward = Steward(folder, workflows, settings, *vigils)
        steward.begin()
        claims = Claims(folder.database, executor)
        inputs = Inputs(claims, folder.store, sources, patience, settings)
        workflows.start(Work(claims, inputs, folder.store, analyses, patience, settings.job_tries))
        log.info("worker_started", executor=executor)
        try:
            _look_after_jobs(steward, ending)
        finally:
            ending.set()
            workflows.stop()
    log.info("worker_ended", executor=executor)


def _look_after_jobs(steward: Steward, ending: threading.Event) -> None:
    for looks in count():
        if ending.wait(_LOOK_SECONDS):
            return
        steward.look()
        if looks % _LOOKS_FOR_THE_OLD == 0:
            steward.look_for_the_old()


@contextmanager
def _said_to_live(database: Database, executor: str, stale_seconds: float) -> Iterator[None]:
    """Give signs of life while the block runs, and take them back at its end."""
    heartbeat = Heartbeat(database, executor)
    beats = Periodic(
        _HEARTBEAT, partial(do_chore, _HEARTBEAT, heartbeat.beat), stale_seconds / _BEATS
    )
    beats.start()
    try:
        yield
    finally:
        beats.stop()
        do_chore(_HEARTBEAT, heartbeat.end)


def _host_name() -> str:
    """Return this machine's name, in letters that a worker's name may have."""
    return re.sub(r"[^A-Za-z0-9._-]", "-", socket.gethostname()) or "worker"


@contextmanager
def _schedules_looked_at(
    folder: OpenedFolder, sources: Sources, settings: Settings, ending: threading.Event
) -> Iterator[None]:
    """Look at schedules while the block runs, apart from the steward: a bucket may be slow."""
    schedules = Schedules(folder.database)
    scheduler = Scheduler(schedules, folder.ledger, sources, settings, ending)
    turns = Periodic("schedules", scheduler.look, _SCHEDULE_SECONDS)
    turns.start()
    try:
        yield
    finally:
        turns.stop()


def _inline_analyses(settings: Settings) -> Analyses:
    # Imported late: the models' libraries take 90 MB.
    from service.jobs.analysis import InlineAnalyses  # noqa: PLC0415

    return InlineAnalyses(settings)


@contextmanager
def _courier(settings: Settings, database: Database) -> Iterator[None]:
    """Tell webhooks of jobs that have ended while the block runs, where there may be any."""
    if not settings.webhook_keys:
        yield
        return
    # Imported late: an HTTP client, which a worker does without where there are no webhooks.
    from service.delivery.courier import Courier, Pace  # noqa: PLC0415
    from service.delivery.deliveries import Deliveries  # noqa: PLC0415
    from service.delivery.webhooks import WebhookSender  # noqa: PLC0415

    pace = Pace(5.0, 3600.0, settings.delivery_hours * 3600.0)
    sender = WebhookSender(settings)
    courier = Courier(Deliveries(database, Channel.WEBHOOK), sender, pace)
    rounds = Periodic("courier", partial(do_chore, "courier", courier.go_round), _LOOK_SECONDS)
    rounds.start()
    try:
        yield
    finally:
        rounds.stop(_COURIER_SECONDS)


if __name__ == "__main__":
    sys.exit(run_until_told(main))
