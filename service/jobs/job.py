"""What is known of a job, and under which keys its objects lie."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Self

from emotion.faces import ModelVersion
from emotion.reports.formats import ReportFormat
from service.origins import Origin

if TYPE_CHECKING:
    from sqlalchemy import RowMapping

_MOST_NAME = 255


class Kind(StrEnum):
    """What a job is about."""

    VIDEO = "video"
    PHOTOS = "photos"

    @property
    def folder(self) -> str:
        """In the keys of its objects."""
        return {Kind.VIDEO: "videos", Kind.PHOTOS: "photo-sets"}[self]

    @property
    def noun(self) -> str:
        """In sentences for people."""
        return {Kind.VIDEO: "video", Kind.PHOTOS: "set of photos"}[self]


class Priority(StrEnum):
    """Which job goes first."""

    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"

    @property
    def rank(self) -> int:
        """Its place in the order: 1 goes first."""
        return 1 + list(Priority).index(self)


class State(StrEnum):
    """How far a job is."""

    RECEIVING = "receiving"
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    DELETING = "deleting"


# A job that was begun so often without a segment done waits behind all others.
STUMBLES = 2
# Waiting for a worker or in work.
ACTIVE = (State.QUEUED, State.RUNNING)
ENDED = (State.DONE, State.FAILED, State.CANCELLED)


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose a job is, and what it is for. Rows and keys of objects carry both.

    Attributes:
        tenant: who may see it.
        purpose: what it may be used for.
    """

    tenant: str
    purpose: str


# There is no access control yet.
LOCAL = Owner("local", "unspecified")


def shown_name(name: str) -> str:
    """Return a name as rows hold it: the end of it, and no zero in it, which PostgreSQL refuses."""
    return name.replace("\0", "")[-_MOST_NAME:]


def digest_of(key: str) -> str:
    """Return what is kept of an Idempotency-Key."""
    return hashlib.sha256(key.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Job:
    """A job's row.

    Attributes:
        id: 32 hex digits, random.
        owner: whose it is.
        kind: what it is about.
        priority: which goes first.
        state: how far it is.
        created_at: when it began to arrive, in seconds since 1970.
        queued_at: when it had arrived; likewise.
        handed_out_at: when it was last handed to the workers; None where it waits for that.
        begun_at: when the work first began.
        ended_at: when it was done, failed or was cancelled.
        name: as its owner calls it; to be shown only.
        size: in bytes, once it has arrived.
        sha256: of its bytes, in hex, likewise.
        settings: how it is to be analysed.
        model: the classifier it is analysed with, fixed when the work begins.
        segments_total: known when the work begins.
        segments_done: of them.
        worked_seconds: spent on those that are done.
        fence: how many times it was begun.
        attempts: of them, since a segment was last done.
        ticket: how many times it was handed out.
        error: why it failed, in a sentence.
        report_fence: under which fence its report was written.
        source_deleted_at: when the upload was deleted.
        uri: where it lies what it is about; None where that was sent.
        source_etag: what that was known by when it was first read.
        origin: which request asked for it, and in which trace.
    """

    id: str
    owner: Owner
    kind: Kind
    priority: Priority
    state: State
    created_at: float
    queued_at: float | None
    handed_out_at: float | None
    begun_at: float | None
    ended_at: float | None
    name: str | None
    size: int | None
    sha256: str | None
    settings: Mapping[str, Any]
    model: ModelVersion | None
    segments_total: int | None
    segments_done: int
    worked_seconds: float
    fence: int
    attempts: int
    ticket: int
    error: str | None
    report_fence: int | None
    source_deleted_at: float | None
    uri: str | None
    source_etag: str | None
    origin: Origin

    @classmethod
    def of(cls, row: "Mapping[str, Any] | RowMapping") -> Self:
        """Read a row of the table ``jobs``."""
        elsewhere = {"model_name", "model_version", "tenant", "purpose", "kind", "state"}
        elsewhere |= {"priority", "arriving_at", "idempotency_key", "waits_since", "executor"}
        elsewhere |= {"request_id", "traceparent"}
        model = row["model_version"]
        return cls(
            owner=Owner(row["tenant"], row["purpose"]),
            kind=Kind(row["kind"]),
            priority=Priority(row["priority"]),
            state=State(row["state"]),
            model=None if model is None else ModelVersion(row["model_name"], model),
            origin=Origin(row["request_id"], row["traceparent"]),
            **{name: value for name, value in row.items() if name not in elsewhere},
        )

    @property
    def rank(self) -> int:
        """Its place in the order of jobs that wait: 1 goes first."""
        return Priority.LOW.rank if self.attempts >= STUMBLES else self.priority.rank

    @property
    def tickets(self) -> list[str]:
        """What it was handed out as, the last time last.

        The first is its id: so it was before jobs had tickets.
        """
        return [self.id, *(f"{self.id}-{number}" for number in range(1, self.ticket + 1))]

    @property
    def progress(self) -> float:
        """How much of the work is done, 0 to 1."""
        if self.state is State.DONE:
            return 1.0
        return self.segments_done / self.segments_total if self.segments_total else 0.0

    @property
    def seconds_left(self) -> float | None:
        """How long the rest of the work takes at the pace so far; None before there is one."""
        if self.state is not State.RUNNING or not self.segments_done or not self.segments_total:
            return None
        rest = self.segments_total - self.segments_done
        return rest * self.worked_seconds / self.segments_done

    @property
    def prefix(self) -> str:
        """Under which all its objects lie."""
        return f"{self.owner.tenant}/{self.owner.purpose}/{self.kind.folder}/{self.id}"

    @property
    def source(self) -> str:
        """The upload's key."""
        return f"{self.prefix}/source"

    def reports(self, fence: int) -> str:
        """The prefix of a report; each time that the job is begun has its own."""
        return f"{self.prefix}/reports/{fence}"

    def report(self, fence: int, form: ReportFormat) -> str:
        """A report's key."""
        return f"{self.reports(fence)}/report.{form}"
