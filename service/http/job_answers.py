"""The JSON that tells of jobs."""

import base64
import binascii
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Self

from pydantic import BaseModel, Field

from emotion.errors import InvalidRequest
from service.answers import ModelBody
from service.jobs.job import ACTIVE, Job, Kind, Priority, State

_NO_WORKER = (
    "No worker is running; the {noun} waits for one. `rapt serve` starts one, and "
    "`python -m service.worker` another."
)
_NEXT = "Asks for the next page; null on the last."
_WRONG_CURSOR = "cursor: take it from next_cursor of the page before."


class LinksBody(BaseModel):
    """Where more is to be had; paths on this server."""

    self: str
    events: str = Field(description="Its progress, as server-sent events.")
    report: str = Field(description="Its report, once the state is done.")


class JobBody(BaseModel):
    """How it stands with a job."""

    id: str
    kind: Kind
    state: State
    priority: Priority = Field(description="Which goes first.")
    progress: float = Field(description="How much of the work is done, 0 to 1.")
    seconds_left: float | None = Field(
        description="How long the rest takes at the pace so far; null where that is not known."
    )
    detail: str | None = Field(description="Why it failed, or what it waits for; else null.")
    name: str | None = Field(description="As its sender called it.")
    uri: str | None = Field(description="Where it lies; null where it was sent.")
    size: int | None = Field(description="In bytes.")
    sha256: str | None = Field(description="Of its bytes, in hex.")
    settings: dict[str, float]
    model: ModelBody | None = Field(description="The classifier, once the work has begun.")
    created_at: datetime
    ended_at: datetime | None
    links: LinksBody

    @classmethod
    def of(cls, job: Job, *, is_worked_on: bool = True) -> Self:
        """Translate.

        Args:
            job: its row.
            is_worked_on: whether any worker is alive.
        """
        waits_in_vain = job.state in ACTIVE and not is_worked_on
        place = place_of(job)
        left = job.seconds_left
        return cls(
            id=job.id,
            kind=job.kind,
            state=job.state,
            priority=job.priority,
            progress=round(job.progress, 4),
            seconds_left=None if left is None else round(left, 1),
            detail=_NO_WORKER.format(noun=job.kind.noun) if waits_in_vain else job.error,
            name=job.name,
            uri=job.uri,
            size=job.size,
            sha256=job.sha256,
            settings=dict(job.settings),
            model=job.model and ModelBody(name=job.model.name, version=job.model.version),
            created_at=_time(job.created_at),
            ended_at=None if job.ended_at is None else _time(job.ended_at),
            links=LinksBody(self=place, events=f"{place}/events", report=f"{place}/report"),
        )


class VideosBody(BaseModel):
    """Videos, the newest first."""

    videos: list[JobBody]
    next_cursor: str | None = Field(description=_NEXT)


class PhotoSetsBody(BaseModel):
    """Sets of photos, the newest first."""

    photo_sets: list[JobBody]
    next_cursor: str | None = Field(description=_NEXT)


JobsBody = VideosBody | PhotoSetsBody


def page_of(kind: Kind, jobs: Sequence[Job], limit: int) -> JobsBody:
    """Translate a page of at most ``limit`` jobs of a kind, of which one more was asked for."""
    shown = [JobBody.of(job) for job in jobs[:limit]]
    cursor = _cursor_after(jobs[limit - 1]) if len(jobs) > limit else None
    match kind:
        case Kind.VIDEO:
            return VideosBody(videos=shown, next_cursor=cursor)
        case Kind.PHOTOS:
            return PhotoSetsBody(photo_sets=shown, next_cursor=cursor)


def path_of(kind: Kind) -> str:
    """Return the path of all jobs of a kind."""
    return f"/v1/{kind.folder}"


def place_of(job: Job) -> str:
    """Return the path at which a job is told of."""
    return f"{path_of(job.kind)}/{job.id}"


def read_cursor(cursor: str) -> tuple[float, str]:
    """Return creation time and id of the job that a page comes after.

    Raises:
        InvalidRequest: it is none of our cursors.
    """
    try:
        created_at, job_id = base64.urlsafe_b64decode(cursor).decode().split(" ")
        after = float(created_at), job_id
    except (binascii.Error, ValueError) as error:
        raise InvalidRequest(_WRONG_CURSOR) from error
    if not job_id.isalnum():
        raise InvalidRequest(_WRONG_CURSOR)
    return after


def _cursor_after(job: Job) -> str:
    return base64.urlsafe_b64encode(f"{job.created_at!r} {job.id}".encode()).decode()


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
