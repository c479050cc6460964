"""A job's work as a workflow of DBOS: handed to one worker at a time, taken up again.

Each time that a job is handed out, its ticket becomes a workflow. DBOS keeps who has which ticket,
and which steps are done; all else is in our rows, and a ticket that isn't the job's last does
nothing. It is used by workers alone: the front writes a row, and a worker's steward hands it out.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, Self

from dbos import DBOS, DBOSConfig
from dbos._serialization import DefaultSerializer
from dbos._sys_db import SystemDatabase
from sqlalchemy import create_engine, text

from service.database.connection import POSTGRES_CONNECTION
from service.jobs.job import Job
from service.jobs.work import Work
from service.logs import log_as_events
from service.storage_errors import storage_errors

# Of the steps' order, not of the program: jobs that were begun with one version are only taken up
# by workers of the same. DBOS would take a hash of the source: each release would strand jobs.
_VERSION = "1"
_QUEUE = "jobs"
_SCHEMA = "dbos"  # Of PostgreSQL; DBOS's own choice.
_NAME = "analyse_video"
_POLL_SECONDS = 0.5
_END_POLL_SECONDS = 2.0  # Between two looks of a thread whose end is waited for.
_CONNECTIONS = 5  # To a server, which has some hundred for all.
_NEVER = 86_400.0  # Seconds between two looks for schedules; there are none.
_END_SECONDS = 20
_IDLE_LOOKS = 5


@dataclass(frozen=True, slots=True)
class WorkflowState:
    """What DBOS knows of a job.

    Attributes:
        status: as DBOS calls it.
        executor: who has it; None where nobody has.
    """

    status: str
    executor: str | None

    @property
    def is_running(self) -> bool:
        """Whether an executor has it, dead or alive."""
        return self.status == "PENDING"

    @property
    def is_over(self) -> bool:
        """Whether it won't run any more."""
        return self.status not in ("PENDING", "ENQUEUED", "DELAYED")


class Workflows:
    """DBOS, of which a process has one."""

    def __init__(self, url: str, executor: str) -> None:
        """Prepare.

        Args:
            url: of the database that DBOS keeps its rows in.
            executor: this worker's name.
        """
        self._url = url
        self.executor = executor
        self._in_work: set[str | None] = set()
        self._idle_looks: dict[str, int] = {}
        log_as_events("dbos")
        DBOS(
            config=DBOSConfig(
                name="rapt",
                system_database_url=url,
                executor_id=executor,
                application_version=_VERSION,
                log_level="WARNING",
                # Nobody here is told of anything by DBOS: a connection less to listen on.
                use_listen_notify=False,
                db_engine_kwargs=_engine_options(url),
                notification_listener_polling_interval_sec=_END_POLL_SECONDS,
                scheduler_polling_interval_sec=_NEVER,
            )
        )

    def start(self, job: Work) -> Self:
        """Begin to take jobs, those first that a worker of this name had.

        Raises:
            StorageFull: there is no room for DBOS's tables.
            StorageUnavailable: they can't be read or written.
        """

        @DBOS.workflow(name=_NAME, max_recovery_attempts=None)
        def analyse_video(job_id: str, ticket: int = 0) -> None:
            mine = DBOS.workflow_id
            self._in_work.add(mine)
            try:
                job.run(job_id, _step, ticket)
            finally:
                self._in_work.discard(mine)

        with storage_errors():
            _use_write_ahead_log(self._url)
            DBOS.launch()
            DBOS.register_queue(_QUEUE, worker_concurrency=1, polling_interval_sec=_POLL_SECONDS)
        return self

    def stop(self) -> None:
        """Take no more jobs, and wait for the one in work to be handed back."""
        DBOS.destroy(workflow_completion_timeout_sec=_END_SECONDS)

    def states(self, jobs: Sequence[Job]) -> dict[str, WorkflowState]:
        """Return what is known of jobs' last tickets, by job; one that is unknown is left out."""
        ids = {job.tickets[-1]: job.id for job in jobs}
        if not ids:
            return {}
        known = DBOS.list_workflows(workflow_ids=list(ids), load_input=False, load_output=False)
        return {ids[one.workflow_id]: WorkflowState(one.status, one.executor_id) for one in known}

    def enqueue(self, job: Job) -> None:
        """Queue a job's last ticket, unless it is known already."""
        DBOS.enqueue_workflow_with_options(
            {
                "queue_name": _QUEUE,
                "workflow_name": _NAME,
                "workflow_id": job.tickets[-1],
                "priority": job.rank,
            },
            job.id,
            job.ticket,
        )

    def take_up(self, alive: Collection[str]) -> list[str]:
        """Queue again what the dead have in work.

        Args:
            alive: executors that may have jobs in work.

        Returns:
            The executors that are dead.
        """
        dead = sorted(set(_pending().values()) - set(alive))
        if dead:
            # The function is not in DBOS's documentation. What is (resume_workflow) doesn't look at
            # who has the job by now: of two workers, one would take it from the other.
            DBOS._recover_pending_workflows(dead)
        return dead

    def resume_own(self) -> None:
        """Queue again what this executor has in work, says DBOS, which couldn't write its end."""
        mine = {one for one, executor in _pending().items() if executor == self.executor}
        # A ticket that is just beginning or ending is in nobody's hands for a moment.
        self._idle_looks = {one: self._idle_looks.get(one, 0) + 1 for one in mine - self._in_work}
        for one, looks in self._idle_looks.items():
            if looks % _IDLE_LOOKS == 0:
                DBOS.resume_workflow(one, queue_name=_QUEUE)

    def delete(self, job: Job) -> None:
        """Forget a job."""
        for ticket in job.tickets:
            DBOS.delete_workflow(ticket)


def migrate_workflows(url: str) -> None:
    """Bring DBOS's tables up to date, as the start of a worker does too.

    Raises:
        StorageFull: there is no room for them.
        StorageUnavailable: they can't be read or written.
    """
    # What DBOS documents for it would make the triggers of notifications too, which are off here.
    tables = SystemDatabase.create(
        system_database_url=url,
        engine_kwargs=_engine_options(url),
        engine=None,
        schema=_SCHEMA,
        serializer=DefaultSerializer(),
        executor_id=None,
        use_listen_notify=False,
    )
    with storage_errors():
        try:
            tables.run_migrations()
        finally:
            tables.destroy()


def _pending() -> dict[str, str]:
    """Return who has which workflow in work."""
    pending = DBOS.list_workflows(status="PENDING", load_input=False, load_output=False)
    return {one.workflow_id: one.executor_id or "" for one in pending}


def _step(name: str, work: Callable[[], None]) -> None:
    DBOS.run_step({"name": name}, work)


def _is_sqlite(url: str) -> bool:
    return url.startswith("sqlite:")


def _engine_options(url: str) -> dict[str, Any]:
    """Have DBOS notice as our own rows do that a server was restarted, or is gone."""
    if _is_sqlite(url):
        return {}
    return {
        "connect_args": POSTGRES_CONNECTION,
        "pool_pre_ping": True,
        "pool_size": _CONNECTIONS,
        "hide_parameters": True,
    }


def _use_write_ahead_log(url: str) -> None:
    """Have readers of an SQLite file not wait for who writes; the file remembers it."""
    if _is_sqlite(url):
        engine = create_engine(url)
        with engine.connect() as connection:
            connection.execute(text("PRAGMA journal_mode=WAL"))
        engine.dispose()
