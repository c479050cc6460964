"""Topics, and what is in their messages."""

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from emotion.errors import InvalidRequest
from emotion.video.settings import MAX_INTERVAL, MIN_INTERVAL
from service.delivery.events import Event
from service.jobs.job import Job, Kind, Priority, State
from service.jobs.requests import JobRequest

REQUESTED = "rapt.jobs.requested"
COMPLETED = "rapt.jobs.completed"
FAILED = "rapt.jobs.failed"
DEAD_LETTERS = "rapt.jobs.requested.dead-letters"

TOPICS = (REQUESTED, COMPLETED, FAILED, DEAD_LETTERS)

MOST_BYTES = 64 * 1024  # Of a request.


# PostgreSQL has no text with a zero in it.
_NO_ZERO = r"^[^\x00]*$"


class RequestedSettings(BaseModel):
    """How a job is to be analysed."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    interval: float | None = Field(
        default=None,
        ge=MIN_INTERVAL,
        le=MAX_INTERVAL,
        strict=True,
        description="Of a video: seconds between two frames that are looked at.",
    )


class JobRequested(BaseModel):
    """Asks for a job."""

    model_config = ConfigDict(extra="forbid", title="rapt.jobs.requested")

    id: str = Field(
        min_length=1,
        max_length=255,
        pattern=_NO_ZERO,
        description="Yours; the same again is the same job.",
    )
    kind: Kind = Field(description="What the job is about.")
    uri: str = Field(
        min_length=1, max_length=2048, description="Where that lies, below RAPT_SOURCES."
    )
    name: str | None = Field(default=None, max_length=255, description="To be shown.")
    settings: RequestedSettings = RequestedSettings()
    priority: Priority = Field(default=Priority.NORMAL, description="Which job goes first.")
    webhook: str | None = Field(
        default=None, max_length=2048, description="A URL that is told of the job's end too."
    )

    @classmethod
    def of(cls, value: bytes | None) -> Self:
        """Read a message.

        Raises:
            InvalidRequest: it is too long, no JSON, or not of this form.
        """
        if value is None:
            raise InvalidRequest("The message is empty.")
        if len(value) > MOST_BYTES:
            raise InvalidRequest(f"The message has more than the {MOST_BYTES:,} bytes accepted.")
        try:
            return cls.model_validate_json(value)
        except ValidationError as error:
            wrong = error.errors()[0]
            place = ".".join(map(str, wrong["loc"])) or "The message"
            raise InvalidRequest(f"{place}: {wrong['msg']}.") from error

    def job_request(self) -> JobRequest:
        """Return it as any transport asks."""
        return JobRequest(
            kind=self.kind,
            uri=self.uri,
            name=self.name,
            settings=self.settings.model_dump(exclude_none=True),
            key=self.id,
            priority=self.priority,
            webhook=self.webhook,
        )


class JobEnded(Event):
    """Tells of the end of a job that a message asked for."""

    model_config = ConfigDict(title="rapt.jobs.completed, rapt.jobs.failed")

    request: str = Field(description="The id of the message that asked for it.")

    @classmethod
    def answer(cls, request: str, job: Job) -> Self:
        """Tell who asked; the same each time."""
        return cls(request=request, **dict(Event.of(job)))


def topic_of(job: Job) -> str:
    """Return the topic in which a job's end is told."""
    return COMPLETED if job.state is State.DONE else FAILED
