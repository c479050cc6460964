"""A video's row, as the front reads and changes it."""

import time
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, delete, func, insert, select, tuple_, update
from sqlalchemy.exc import IntegrityError

from service.database.connection import Database
from service.database.tables import segments, videos
from service.jobs.errors import UnknownVideo, VideoConflict
from service.jobs.videos import ACTIVE, ENDED, Owner, State, Video

_BEING_RECEIVED = "A video with this Idempotency-Key is being received. Try again when it is here."


class Ledger:
    """The table of videos. Every method may raise ``StorageFull`` and ``StorageUnavailable``."""

    def __init__(self, database: Database) -> None:
        """Use a database whose tables are up to date."""
        self._database = database

    def reserve(self, owner: Owner, **values: Any) -> Video:  # noqa: ANN401  # the row's columns
        """Make the row of a video that is about to arrive.

        Args:
            owner: whose it is.
            values: ``id``, ``name``, ``settings`` and ``idempotency_key`` (a digest, or None).

        Raises:
            VideoConflict: another video has the key.
        """
        row = {
            "tenant": owner.tenant,
            "purpose": owner.purpose,
            "state": State.RECEIVING,
            "created_at": time.time(),
            **values,
        }
        try:
            with self._database.begin() as connection:
                connection.execute(insert(videos).values(row))
        except IntegrityError as error:
            raise VideoConflict(_BEING_RECEIVED) from error
        return self.get(owner, values["id"])

    def received(self, video: Video, size: int, sha256: str) -> None:
        """Queue a video that has arrived.

        Raises:
            UnknownVideo: it was deleted meanwhile.
        """
        arrived = {"size": size, "sha256": sha256, "state": State.QUEUED}
        if not self._change(video, (State.RECEIVING,), **arrived):
            raise _unknown(video.id)

    def forget(self, video: Video) -> None:
        """Delete a row."""
        with self._database.begin() as connection:
            connection.execute(delete(videos).where(videos.c.id == video.id))

    def get(self, owner: Owner, video_id: str) -> Video:
        """Return a video of a tenant.

        Raises:
            UnknownVideo: there is none of this id, or it is somebody else's.
        """
        # PostgreSQL has no text with a zero in it, and doesn't take one to look for.
        if video_id.isalnum():
            found = self._rows(select(videos).where(*_visible(owner), videos.c.id == video_id))
            if found:
                return found[0]
        raise _unknown(video_id)

    def with_key(self, owner: Owner, digest: str) -> Video | None:
        """Return the video that was sent with an idempotency key.

        Raises:
            VideoConflict: it is still being received.
        """
        mine = (*_visible(owner), videos.c.purpose == owner.purpose)
        found = self._rows(select(videos).where(*mine, videos.c.idempotency_key == digest))
        if found and found[0].state is State.RECEIVING:
            raise VideoConflict(_BEING_RECEIVED)
        return found[0] if found else None

    def page(self, owner: Owner, limit: int, after: tuple[float, str] | None) -> list[Video]:
        """Return a tenant's videos, the newest first.

        Args:
            owner: whose.
            limit: at most so many.
            after: creation time and id of the last one of the page before.
        """
        age = tuple_(videos.c.created_at, videos.c.id)
        before = () if after is None else (age < tuple_(*after),)
        return self._rows(
            select(videos)
            .where(*_visible(owner), *before)
            .order_by(videos.c.created_at.desc(), videos.c.id.desc())
            .limit(limit)
        )

    def cancel(self, owner: Owner, video_id: str) -> Video:
        """End a video that is waiting or in work; one that is cancelled stays so.

        Raises:
            UnknownVideo: see ``get``.
            VideoConflict: it has ended, or has not arrived yet.
        """
        video = self.get(owner, video_id)
        if self._change(video, ACTIVE, state=State.CANCELLED, ended_at=time.time()):
            return self.get(owner, video_id)
        now = self.get(owner, video_id)
        if now.state is not State.CANCELLED:
            raise VideoConflict(f"The video is {now.state}; there is nothing to cancel.")
        return now

    def mark_deleting(self, video: Video) -> None:
        """Hide a video from its owner for good, and keep nothing but what erasing it takes."""
        blank = {"name": None, "sha256": None, "size": None, "error": None}
        states = [state for state in State if state is not State.DELETING]
        self._change(video, states, state=State.DELETING, idempotency_key=None, **blank)

    def in_states(self, states: Sequence[State], limit: int) -> list[Video]:
        """Return everybody's videos of some states, the oldest first."""
        return self._rows(
            select(videos)
            .where(videos.c.state.in_(states))
            .order_by(videos.c.created_at, videos.c.id)
            .limit(limit)
        )

    def older(self, states: Sequence[State], column: str, before: float) -> list[Video]:
        """Return videos of some states of which a time lies before another."""
        return self._rows(
            select(videos).where(videos.c.state.in_(states), videos.c[column] < before).limit(100)
        )

    def with_needless_source(self) -> list[Video]:
        """Return videos that have ended and whose upload is there."""
        return self._rows(
            select(videos)
            .where(videos.c.state.in_(ENDED), videos.c.source_deleted_at.is_(None))
            .limit(100)
        )

    def source_deleted(self, video: Video) -> None:
        """Note that the upload of an ended video is gone, and drop what its segments came to."""
        with self._database.begin() as connection:
            connection.execute(delete(segments).where(segments.c.video_id == video.id))
        self._change(video, ENDED, source_deleted_at=time.time())

    def fail(self, video: Video, error: str) -> None:
        """End a video that nobody works on, unless it went on meanwhile."""
        with self._database.begin() as connection:
            connection.execute(
                update(videos)
                .where(
                    videos.c.id == video.id,
                    videos.c.state.in_(ACTIVE),
                    videos.c.fence == video.fence,
                )
                .values(state=State.FAILED, ended_at=time.time(), error=error)
            )

    def counts(self) -> dict[State, int]:
        """Return how many videos there are in each state."""
        query = select(videos.c.state, func.count()).group_by(videos.c.state)
        with self._database.begin() as connection:
            counted = {State(state): count for state, count in connection.execute(query)}
        return {state: counted.get(state, 0) for state in State}

    def oldest_queued(self) -> float | None:
        """Return when the video that waits longest was created."""
        query = select(func.min(videos.c.created_at)).where(videos.c.state == State.QUEUED)
        with self._database.begin() as connection:
            oldest: float | None = connection.scalar(query)
        return oldest

    def _rows(self, query: Select[Any]) -> list[Video]:
        with self._database.begin() as connection:
            return [Video.of(row) for row in connection.execute(query).mappings()]

    def _change(self, video: Video, states: Sequence[State], **values: object) -> bool:
        """Change a row if it is in one of some states; return whether it was."""
        with self._database.begin() as connection:
            result = connection.execute(
                update(videos)
                .where(videos.c.id == video.id, videos.c.state.in_(states))
                .values(**values)
            )
        return bool(result.rowcount)


def _visible(owner: Owner) -> tuple[ColumnElement[bool], ...]:
    return videos.c.tenant == owner.tenant, videos.c.state != State.DELETING


def _unknown(video_id: str) -> UnknownVideo:
    return UnknownVideo(f"There is no video {video_id[:64]}.")
