"""The worker: ``python -m service.worker`` works on videos until it is told to end.

Any number may run; each works on one video at a time. SIGTERM and Ctrl-C hand back what is in work,
and nothing is lost if it is killed.
"""

import re
import signal
import socket
import sys
import threading
from collections.abc import Callable
from functools import partial
from itertools import count

import structlog

from emotion.errors import RaptError
from service.jobs.claims import Claims
from service.jobs.executors import Heartbeat
from service.jobs.inputs import Inputs
from service.jobs.late_analyses import LateAnalyses
from service.jobs.opened import opened_folder
from service.jobs.patience import Patience
from service.jobs.steward import Steward
from service.jobs.vigil import Vigil
from service.jobs.work import Analyses, Work
from service.jobs.workflow import Workflows
from service.logs import set_up_logging
from service.periodic import Periodic
from service.settings import Settings, load_settings
from service.sources import Sources
from service.storage_errors import StorageFull, StorageUnavailable

_LOOK_SECONDS = 1.0
_LOOKS_FOR_THE_OLD = 10
_BEATS = 5  # Signs of life within the time after which a worker is taken for dead.

log = structlog.get_logger()


def main() -> int:
    """Run a worker; return its exit status."""
    set_up_logging()
    ending = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ending.set())
    try:
        settings = load_settings()
        work_until(ending, settings, LateAnalyses(partial(_inline_analyses, settings)))
    except RaptError as error:
        sys.stderr.write(f"Error: {error.message}\n")
        return 1
    return 0


def work_until(ending: threading.Event, settings: Settings, analyses: Analyses) -> None:
    """Work on videos until an event is set.

    Raises:
        InvalidRequest: the data folder, or this worker's name, is another's; or a database or a
            bucket can't be used.
        StorageFull: the data folder can't be opened.
        StorageUnavailable: likewise.
    """
    # Of several machines, each has a first worker.
    names = _host_name() if settings.database_url else "worker"
    place = settings.data_folder.place(settings.executor_id, names)
    with opened_folder(settings) as folder, place as executor:
        heartbeat = Heartbeat(folder.database, executor)
        beats = Periodic(
            "heartbeat", _carefully(heartbeat.beat), settings.worker_stale_seconds / _BEATS
        )
        beats.start()
        workflows = Workflows(settings.workflows_url, executor)
        patience = Patience(settings.storage_tries, ending)
        claims = Claims(folder.database, executor)
        steward = Steward(folder, workflows, settings, Vigil(settings.worker_stale_seconds))
        steward.begin()
        inputs = Inputs(claims, folder.store, Sources(), patience, settings)
        work = Work(claims, inputs, folder.store, analyses, patience, settings.job_tries)
        workflows.start(work)
        log.info("worker_started", executor=executor)
        try:
            for looks in count():
                if ending.wait(_LOOK_SECONDS):
                    break
                steward.look()
                if looks % _LOOKS_FOR_THE_OLD == 0:
                    steward.look_for_the_old()
        finally:
            ending.set()
            workflows.stop()
            beats.stop()
            _carefully(heartbeat.end)()
            log.info("worker_ended", executor=executor)


def _host_name() -> str:
    """Return this machine's name, in letters that a worker's name may have."""
    return re.sub(r"[^A-Za-z0-9._-]", "-", socket.gethostname()) or "worker"


def _inline_analyses(settings: Settings) -> Analyses:
    # Imported late: the models' libraries take 90 MB.
    from service.jobs.analysis import InlineAnalyses  # noqa: PLC0415

    return InlineAnalyses(settings)


def _carefully(work: Callable[[], None]) -> Callable[[], None]:
    """Return work that is left undone where storage fails: the next time may do."""

    def careful() -> None:
        try:
            work()
        except (StorageFull, StorageUnavailable) as error:
            log.warning("heartbeat_failed", why=str(error.__cause__ or error))

    return careful


if __name__ == "__main__":
    sys.exit(main())
