"""What has to be done again and again: hand out jobs, take up those of the dead, sweep, erase.

Each worker has a steward, and any of them may do any of it: all of it can be done twice.
"""

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from service.chores import do_chore
from service.jobs.job import ENDED, Job, State
from service.jobs.opened import OpenedFolder
from service.jobs.signs import ABANDONED_SECONDS
from service.jobs.vigil import Vigil
from service.jobs.work import got_no_further
from service.jobs.workflow import Workflows
from service.settings import Settings

_UNEXPECTED = "The work ended by an error of ours that nobody expected; the worker's log has it."
_MOST = 1000  # Jobs looked at in one go.
_DAY_SECONDS = 86_400.0

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Steward:
    """Looks after all jobs.

    Attributes:
        folder: where they are kept.
        workflows: who has which.
        settings: how long what is kept, and how often what is tried.
        vigil: since when others were seen.
        arrivals: since when those could say so whose uploads arrive.
    """

    folder: OpenedFolder
    workflows: Workflows
    settings: Settings
    vigil: Vigil
    arrivals: Vigil

    def begin(self) -> None:
        """Put back what a worker of this name had, before this one takes any job."""
        self._do(self.put_back_own)

    def look(self) -> None:
        """Do what somebody may wait for; where storage fails, the next look may do it."""
        chores = (self.take_up, self.workflows.resume_own, self.hand_out)
        self._do(*chores, self.erase, self.delete_sources, self.sweep)

    def look_for_the_old(self) -> None:
        """Do what depends on the day, not on the second; likewise."""
        self._do(self.retire, self.folder.executors.forget_dead, self.truncate_log)

    def _do(self, *chores: Callable[[], None]) -> None:
        for chore in chores:
            do_chore(chore.__name__, chore)

    def hand_out(self) -> None:
        """Give workers what is next, and note what ended without a word."""
        self.folder.queue.hand_out(len(self.folder.executors.alive()))
        in_hand = self.folder.queue.in_hand()
        states = self.workflows.states(in_hand)
        for job in in_hand:
            if job.id not in states:
                self.workflows.enqueue(job)
            elif states[job.id].is_over:
                # If it was done meanwhile, the row says so and stays as it is.
                self._put_back(job, _UNEXPECTED)

    def take_up(self) -> None:
        """Put back what the dead had in work."""
        alive = self.folder.executors.alive() | {self.workflows.executor}
        if not self.vigil.is_long_enough():
            return
        for job in self.folder.queue.abandoned(alive):
            self._put_back(job, got_no_further(job.attempts))
        dead = self.workflows.take_up(alive)
        if dead:
            log.warning("workers_dead", workers=dead)

    def put_back_own(self) -> None:
        """Put back what is in work by this worker; for when it is known that nothing is."""
        for job in self.folder.queue.in_work(self.workflows.executor):
            self._put_back(job, got_no_further(job.attempts))

    def erase(self) -> None:
        """Erase what is being deleted, once nobody works on it any more."""
        deleting = self.folder.ledger.in_states((State.DELETING,), _MOST)
        states = self.workflows.states(deleting)
        alive = self.folder.executors.alive()
        for job in deleting:
            state = states.get(job.id)
            if state is None or not (state.is_running and state.executor in alive):
                self.workflows.delete(job)
                self._erase(job)
        if deleting:
            self.truncate_log()

    def sweep(self) -> None:
        """Erase uploads that never ended, as of a front that was killed.

        None soon after the database was away: nobody could say meanwhile that one arrives.
        """
        silent = self.folder.ledger.older((State.RECEIVING,), "arriving_at", ABANDONED_SECONDS)
        if self.arrivals.is_long_enough():
            for job in silent:
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

    def _put_back(self, job: Job, why: str) -> None:
        """Have a job tried again, or let it have failed if that was often enough."""
        if job.attempts >= self.settings.job_tries:
            log.warning("job_failed", job=job.id, why=why)
            self.folder.ledger.fail(job, why)
        else:
            log.warning("job_put_back", job=job.id, attempts=job.attempts)
            self.folder.queue.put_back(job)

    def _erase(self, job: Job) -> None:
        self.folder.store.erase(job.prefix)
        self.folder.ledger.forget(job)
        log.info("job_erased", job=job.id)
