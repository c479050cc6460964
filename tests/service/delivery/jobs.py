"""Jobs that have ended."""

from service.delivery.deliveries import Delivery
from service.jobs.job import LOCAL, Job, Kind, State

ENDED_AT = 1_790_000_000.0


def ended_job(state: State = State.DONE, error: str | None = None) -> Job:
    return Job(
        id="ab" * 16,
        owner=LOCAL,
        kind=Kind.VIDEO,
        state=state,
        created_at=ENDED_AT - 60.0,
        ended_at=ENDED_AT,
        name="party.mp4",
        size=10,
        sha256="ab" * 32,
        settings={},
        model=None,
        segments_total=1,
        segments_done=1,
        worked_seconds=1.0,
        fence=1,
        error=error,
        report_fence=1,
        source_deleted_at=None,
    )


def delivery_to(address: str, state: State = State.DONE, error: str | None = None) -> Delivery:
    return Delivery("cd" * 16, ended_job(state, error), address, 1)
