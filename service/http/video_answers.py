"""The JSON that tells of videos."""

import base64
import binascii
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Self

from pydantic import BaseModel, Field

from emotion.errors import InvalidRequest
from service.answers import ModelBody
from service.jobs.job import ACTIVE, Job, Priority, State

PATH = "/v1/videos"
_NO_WORKER = (
    "No worker is running; the video waits for one. `rapt serve` starts one, and "
    "`python -m service.worker` another."
)
_WRONG_CURSOR = "cursor: take it from next_cursor of the page before."


class LinksBody(BaseModel):
    """Where more is to be had; paths on this server."""

    self: str
    events: str = Field(description="Its progress, as server-sent events.")
    report: str = Field(description="Its report, once the state is done.")


class VideoBody(BaseModel):
    """How it stands with a video."""

    id: str
    state: State
    priority: Priority = Field(description="Which goes first.")
    progress: float = Field(description="How much of the work is done, 0 to 1.")
    seconds_left: float | None = Field(
        description="How long the rest takes at the pace so far; null where that is not known."
    )
    detail: str | None = Field(description="Why it failed, or what it waits for; else null.")
    name: str | None = Field(description="As the upload called it.")
    size: int | None = Field(description="In bytes.")
    sha256: str | None = Field(description="Of its bytes, in hex.")
    settings: dict[str, float]
    model: ModelBody | None = Field(description="The classifier, once the work has begun.")
    created_at: datetime
    ended_at: datetime | None
    links: LinksBody

    @classmethod
    def of(cls, video: Job, *, is_worked_on: bool = True) -> Self:
        """Translate.

        Args:
            video: its row.
            is_worked_on: whether any worker is alive.
        """
        waits_in_vain = video.state in ACTIVE and not is_worked_on
        place = place_of(video)
        left = video.seconds_left
        return cls(
            id=video.id,
            state=video.state,
            priority=video.priority,
            progress=round(video.progress, 4),
            seconds_left=None if left is None else round(left, 1),
            detail=_NO_WORKER if waits_in_vain else video.error,
            name=video.name,
            size=video.size,
            sha256=video.sha256,
            settings=dict(video.settings),
            model=video.model and ModelBody(name=video.model.name, version=video.model.version),
            created_at=_time(video.created_at),
            ended_at=None if video.ended_at is None else _time(video.ended_at),
            links=LinksBody(self=place, events=f"{place}/events", report=f"{place}/report"),
        )


class VideosBody(BaseModel):
    """Videos, the newest first."""

    videos: list[VideoBody]
    next_cursor: str | None = Field(description="Asks for the next page; null on the last.")

    @classmethod
    def of(cls, videos: Sequence[Job], limit: int) -> Self:
        """Translate a page of at most ``limit``, of which one more was asked for."""
        shown = videos[:limit]
        cursor = _cursor_after(shown[-1]) if len(videos) > limit else None
        return cls(videos=[VideoBody.of(video) for video in shown], next_cursor=cursor)


def place_of(video: Job) -> str:
    """Return the path at which a video is told of."""
    return f"{PATH}/{video.id}"


def read_cursor(cursor: str) -> tuple[float, str]:
    """Return creation time and id of the video that a page comes after.

    Raises:
        InvalidRequest: it is none of our cursors.
    """
    try:
        created_at, video_id = base64.urlsafe_b64decode(cursor).decode().split(" ")
        after = float(created_at), video_id
    except (binascii.Error, ValueError) as error:
        raise InvalidRequest(_WRONG_CURSOR) from error
    if not video_id.isalnum():
        raise InvalidRequest(_WRONG_CURSOR)
    return after


def _cursor_after(video: Job) -> str:
    return base64.urlsafe_b64encode(f"{video.created_at!r} {video.id}".encode()).decode()


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
