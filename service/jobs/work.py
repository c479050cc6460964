"""One job's work, stage by stage: claim, plan, look at each segment, report.

All of it may be done again from the top, by this worker or another, whenever one ends in the
middle: what was stored stays, and what a worker writes that has lost its claim is refused.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar

import structlog

from emotion.errors import InputError, ModelError, Stopped
from emotion.faces import ModelVersion
from emotion.reports.formats import ReportFormat
from service.jobs.claims import Claim, ClaimLost, Claims
from service.jobs.inputs import Inputs
from service.jobs.job import Job
from service.jobs.patience import HandedBack, Patience
from service.origins import coming_from
from service.storage.objects import ObjectStore
from service.storage_errors import StorageFailed, StorageFull, StorageUnavailable
from service.tracing.spans import Kind, span

T = TypeVar("T")
# Runs a named step: not again, if it is known to be done.
Step = Callable[[str, Callable[[], None]], None]

_LOOK_SECONDS = 0.5  # Between two looks at whether the claim still stands.

log = structlog.get_logger()


class Analysis(Protocol):
    """One job, opened to be analysed.

    Attributes:
        model: the classifier of the whole job.
        segment_count: how many segments it has.
    """

    @property
    def model(self) -> ModelVersion: ...  # noqa: D102  # see the class

    @property
    def segment_count(self) -> int: ...  # noqa: D102  # see the class

    def analyse(self, number: int, should_stop: Callable[[], bool]) -> bytes:
        """Say what a segment shows; the same bytes each time.

        Raises:
            InputError: the job can't be used.
            Stopped: ``should_stop`` said so.
            StorageUnavailable: a part of it that lies elsewhere can't be read now.
        """
        ...

    def report(self, payloads: Sequence[bytes]) -> Mapping[ReportFormat, bytes]:
        """Put the segments together."""
        ...


class Analyses(Protocol):
    """Opens jobs."""

    def open(self, path: Path, job: Job, should_stop: Callable[[], bool]) -> Analysis:
        """Open a job whose input lies at ``path``.

        Raises:
            InputError: it can't be used.
            Stopped: ``should_stop`` said so.
            ModelError: the classifier that the job began with is not there any more.
        """
        ...


@dataclass(frozen=True, slots=True)
class Work:
    """The work on any job.

    Attributes:
        claims: rows.
        inputs: what jobs are about.
        store: objects.
        analyses: opens jobs.
        patience: tries again where storage fails, and ends that when the worker does.
        tries: after how many, none of which did a segment, a job has failed.
    """

    claims: Claims
    inputs: Inputs
    store: ObjectStore
    analyses: Analyses
    patience: Patience
    tries: int = 8

    def run(self, job_id: str, step: Step, ticket: int | None = None) -> None:
        """Do what is left of the work on a job.

        Args:
            job_id: the job's.
            step: runs the parts of the work.
            ticket: see ``Claims.claim``.

        Raises:
            HandedBack: the worker is ending, and couldn't note that the job waits again.
            StorageFull: there is no room, and no way to note it.
            StorageUnavailable: likewise.
        """
        if self.patience.is_ending:
            raise HandedBack
        try:
            claim = self._patiently(lambda: self.claims.claim(job_id, ticket))
        except ClaimLost:
            log.info("job_not_taken", job=job_id)
            return
        # Logs and spans go on here as those of the request that asked for it.
        with coming_from(claim.job.origin):
            log.info("job_taken", job=job_id, fence=claim.job.fence)
            self._work_to_an_end(claim, step)

    def _work_to_an_end(self, claim: Claim, step: Step) -> None:
        """Do the work, and note how it ended."""
        facts = {"rapt.job.id": claim.job.id, "rapt.job.kind": claim.job.kind.value}
        try:
            with span("job", Kind.CONSUMER, facts):
                self._work(claim, step)
        except HandedBack:
            if not self._hand_back(claim):
                raise
        except ClaimLost:
            self._let_go(claim)
        except (InputError, ModelError) as error:
            self._fail(claim, error, error.message)
        except StorageFull as error:
            self._fail(claim, error, "The storage was full for too long. Send it again later.")
        except StorageUnavailable as error:
            self._fail(claim, error, "The storage didn't answer for too long. Send it again later.")
        except FileNotFoundError as error:
            self._fail(claim, error, "The upload is gone. Send it again.")

    def _work(self, claim: Claim, step: Step) -> None:
        if claim.attempts > self.tries:
            raise InputError(got_no_further(self.tries))
        should_stop = self._should_stop(claim)
        with self._stoppable(claim), self.inputs.as_local_file(claim, should_stop) as path:
            with span("open"):
                analysis = self.analyses.open(path, claim.job, should_stop)
            self._patiently(lambda: self.claims.pin(claim, analysis.model))
            done = self._patiently(lambda: self.claims.plan(claim, analysis.segment_count))
            # Steps are told apart by their order too, so each has its turn, done or not.
            for number in range(analysis.segment_count):
                work = (
                    _nothing if number in done else partial(self._segment, claim, analysis, number)
                )
                step(f"segment-{number}", work)
            step("report", partial(self._report, claim, analysis))
        log.info("job_done", job=claim.job.id)

    def _segment(self, claim: Claim, analysis: Analysis, number: int) -> None:
        began = time.monotonic()
        with span("segment", facts={"rapt.segment": number}), self._stoppable(claim):
            payload = self._patiently(lambda: analysis.analyse(number, self._should_stop(claim)))
        seconds = time.monotonic() - began
        self._patiently(lambda: self.claims.store(claim, number, payload, seconds))

    def _report(self, claim: Claim, analysis: Analysis) -> None:
        with span("report"):
            self._write_report(claim, analysis)

    def _write_report(self, claim: Claim, analysis: Analysis) -> None:
        payloads = self._patiently(lambda: self.claims.payloads(claim))
        for form, content in analysis.report(payloads).items():
            key = claim.job.report(claim.job.fence, form)
            self._patiently(partial(self.store.write, key, content))
        try:
            self._patiently(lambda: self.claims.finish(claim))
        except ClaimLost:
            # Here, since DBOS doesn't come back from the step of a worker that has lost the job.
            self._patiently(lambda: self.store.erase(claim.job.reports(claim.job.fence)))
            raise

    def _fail(self, claim: Claim, error: Exception, why: str) -> None:
        # All of why is in its row alone: it may have a name in it.
        log.warning("job_failed", job=claim.job.id, why=type(error).__name__)
        try:
            self._patiently(lambda: self.claims.fail(claim, why))
        except ClaimLost:
            self._let_go(claim)

    @contextmanager
    def _stoppable(self, claim: Claim) -> Iterator[None]:
        """Say why the analysis stopped: the worker is to end, or the claim is lost."""
        try:
            yield
        except Stopped as error:
            if self.patience.is_ending:
                raise HandedBack from error
            raise ClaimLost(claim.job.id) from error

    def _hand_back(self, claim: Claim) -> bool:
        """Have the job wait again; return whether that could be noted."""
        try:
            self.claims.hand_back(claim)
        except ClaimLost:
            self._let_go(claim)
        except StorageFailed:
            # Others take it up once they see that this worker has ended.
            return False
        else:
            log.info("job_handed_back", job=claim.job.id)
        return True

    def _let_go(self, claim: Claim) -> None:
        log.info("job_lost", job=claim.job.id, fence=claim.job.fence)

    def _should_stop(self, claim: Claim) -> Callable[[], bool]:
        looked, stands = time.monotonic(), True

        def should_stop() -> bool:
            nonlocal looked, stands
            if time.monotonic() - looked > _LOOK_SECONDS:
                looked, stands = time.monotonic(), self._still_holds(claim)
            return self.patience.is_ending or not stands

        return should_stop

    def _still_holds(self, claim: Claim) -> bool:
        try:
            return self.claims.holds(claim)
        except StorageFailed:
            # Not known; the write at the segment's end will tell.
            return True

    def _patiently(self, work: Callable[[], T]) -> T:
        return self.patience.run(work)


def got_no_further(tries: int) -> str:
    """Say why a job has failed that killed its worker each time."""
    return (
        f"The work on it was begun {tries} times and got no further: the worker ended each time. "
        "Its log may say why."
    )


def _nothing() -> None:
    pass
