"""What has to be done again and again: hand out jobs, take up those of the dead, sweep, erase.

Each worker has a steward, and any of them may do any of it: all of it can be done twice.
"""

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from service.jobs.job import ACTIVE, ENDED, Job, State
from service.jobs.opened import OpenedFolder
from service.jobs.workflow import Workflows
from service.settings import Settings
from service.storage_errors import StorageFull, StorageUnavailable, storage_errors

_UNEXPECTED = "The work ended by an error of ours that nobody expected; the worker's log has it."
_MOST = 1000  # Jobs looked at in one go.
_GRACE_SECONDS = 60.0  # After an upload's time is over, for the front to end it itself.
_DAY_SECONDS = 86_400.0

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Steward:
    """Looks after all jobs.

    Attributes:
        folder: where they are kept.
        workflows: who has which.
        settings: how long what is kept.
    """

    folder: OpenedFolder
    workflows: Workflows
    settings: Settings

    def look(self) -> None:
        """Do what somebody may wait for; where storage fails, the next look may do it."""
        self._do(self.hand_out, self.take_up, self.erase, self.delete_sources)

    def look_for_the_old(self) -> None:
        """Do what depends on the day, not on the second; likewise."""
        self._do(self.sweep, self.retire, self.folder.executors.forget_dead, self.truncate_log)

    def _do(self, *chores: Callable[[], None]) -> None:
        for chore in chores:
            try:
                with storage_errors():
                    chore()
            except (StorageFull, StorageUnavailable) as error:
                why = str(error.__cause__ or error)
                log.warning("chore_failed", chore=chore.__name__, why=why)

    def hand_out(self) -> None:
        """Queue what is not queued yet, and note what ended without a word."""
        active = self.folder.ledger.in_states(ACTIVE, _MOST)
        states = self.workflows.states([job.id for job in active])
        for job in active:
            if job.id not in states:
                self.workflows.enqueue(job.id)
            elif states[job.id].is_over:
                # If it was done meanwhile, the row says so and stays as it is.
                self.folder.ledger.fail(job, _UNEXPECTED)

    def take_up(self) -> None:
        """Queue again what nobody works on."""
        dead = self.workflows.take_up(self.folder.executors.alive())
        if dead:
            log.warning("workers_dead", workers=dead)

    def erase(self) -> None:
        """Erase what is being deleted, once nobody works on it any more."""
        deleting = self.folder.ledger.in_states((State.DELETING,), _MOST)
        states = self.workflows.states([job.id for job in deleting])
        alive = self.folder.executors.alive()
        for job in deleting:
            state = states.get(job.id)
            if state is None or not (state.is_running and state.executor in alive):
                self.workflows.delete(job.id)
                self._erase(job)
        if deleting:
            self.truncate_log()

    def sweep(self) -> None:
        """Erase uploads that never ended, as of a front that was killed."""
        age = self.settings.upload_seconds + _GRACE_SECONDS
        for job in self.folder.ledger.older((State.RECEIVING,), "created_at", age):
            self._erase(job)

    def retire(self) -> None:
        """Begin to delete what ended long ago."""
        if self.settings.report_days:
            age = self.settings.report_days * _DAY_SECONDS
            for job in self.folder.ledger.older(ENDED, "ended_at", age):
                self.folder.ledger.mark_deleting(job)

    def delete_sources(self) -> None:
        """Delete uploads that have served, and reports that were begun and don't stand."""
        ended = self.folder.ledger.with_needless_source()
        for job in ended:
            if not self.settings.keep_sources:
                self.folder.store.erase(job.source)
            for fence in range(1, job.fence + 1):
                if fence != job.report_fence:
                    self.folder.store.erase(job.reports(fence))
            self.folder.ledger.source_deleted(job)
        if ended:
            self.truncate_log()

    def truncate_log(self) -> None:
        """Have nothing of what was erased stay in the database's log."""
        self.folder.database.truncate_log()

    def _erase(self, job: Job) -> None:
        self.folder.store.erase(job.prefix)
        self.folder.ledger.forget(job)
        log.info("job_erased", job=job.id)
