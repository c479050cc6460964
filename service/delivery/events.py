"""What is told of a job's end. Never what a face shows: that is in the report."""

from datetime import UTC, datetime
from typing import Literal, Self

from pydantic import BaseModel, Field

from service.jobs.job import Job, Kind, State

EventType = Literal["job.completed", "job.failed", "job.cancelled"]
_TYPES: dict[State, EventType] = {
    State.DONE: "job.completed",
    State.FAILED: "job.failed",
    State.CANCELLED: "job.cancelled",
}


class EventLinks(BaseModel):
    """Where more is to be had; paths on the server that took the job in."""

    self: str
    report: str | None = Field(description="Its report; null unless the state is done.")


class EventData(BaseModel):
    """The job that has ended."""

    id: str
    kind: Kind
    state: Literal[State.DONE, State.FAILED, State.CANCELLED]
    error: str | None = Field(description="Why it failed, in a sentence; else null.")
    links: EventLinks


class Event(BaseModel):
    """A job's end, in the form that the Standard Webhooks specification recommends."""

    type: EventType
    timestamp: datetime = Field(description="When the job ended.")
    data: EventData

    @classmethod
    def of(cls, job: Job) -> Self:
        """Tell of a job that has ended; the same each time."""
        place = f"/v1/{job.kind.folder}/{job.id}"
        report = f"{place}/report" if job.state is State.DONE else None
        return cls.model_validate(
            {
                "type": _TYPES[job.state],
                "timestamp": datetime.fromtimestamp(job.ended_at or 0.0, UTC),
                "data": {
                    "id": job.id,
                    "kind": job.kind,
                    "state": job.state,
                    "error": job.error,
                    "links": {"self": place, "report": report},
                },
            }
        )
