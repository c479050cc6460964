"""/v1/schedules: what arrives below a prefix becomes jobs, at certain times."""

from datetime import UTC, datetime
from typing import Any, Self

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from service.http.job_bodies import JSON, read_json
from service.http.problems import MEDIA_TYPE, Problem
from service.jobs.job import LOCAL, Kind
from service.jobs.opener import DeskOpener
from service.jobs.schedules import Schedule

PATH = "/v1/schedules"
_WHY = {
    404: "There is no such schedule.",
    422: "A field is missing or wrong.",
    503: "The storage doesn't answer. Try again after Retry-After seconds.",
}


class NewScheduleBody(BaseModel):
    """A schedule that is asked for."""

    model_config = ConfigDict(extra="forbid")

    prefix: str = Field(
        description="s3://BUCKET/PREFIX/, gs://BUCKET/PREFIX/ or az://CONTAINER/PREFIX/, below "
        "RAPT_SOURCES; each file below it becomes a job once."
    )
    kind: Kind
    cron: str = Field(description="Minute, hour, day, month, day of the week; in UTC.")
    settings: dict[str, float] = Field(
        default_factory=dict, description="Of its jobs; of a video interval, in seconds."
    )


class ScheduleBody(BaseModel):
    """How it stands with a schedule."""

    id: str
    prefix: str
    kind: Kind
    cron: str
    settings: dict[str, float]
    detail: str | None = Field(description="Why the last look failed; null where it didn't.")
    created_at: datetime
    looked_at: datetime | None = Field(description="When all below the prefix was last looked at.")
    next_at: datetime = Field(description="When it is looked at again.")

    @classmethod
    def of(cls, schedule: Schedule) -> Self:
        """Translate."""
        looked_at = schedule.looked_at
        return cls(
            id=schedule.id,
            prefix=schedule.prefix,
            kind=schedule.kind,
            cron=schedule.cron,
            settings=dict(schedule.settings),
            detail=schedule.error,
            created_at=_time(schedule.created_at),
            looked_at=None if looked_at is None else _time(looked_at),
            next_at=_time(schedule.next_at),
        )


class SchedulesBody(BaseModel):
    """Schedules, the oldest first."""

    schedules: list[ScheduleBody]


def schedule_routes(opener: DeskOpener) -> APIRouter:
    """Return the routes of schedules."""
    router = APIRouter(tags=["schedules"])
    _add_new(router, opener)
    _add_others(router, opener)
    return router


def _add_new(router: APIRouter, opener: DeskOpener) -> None:
    schema = NewScheduleBody.model_json_schema(ref_template="#/components/schemas/{model}")
    del schema["$defs"]  # They are among the components, as answers have them too.
    body = {"required": True, "content": {JSON: {"schema": schema}}}

    @router.post(
        PATH,
        status_code=201,
        summary="Have what arrives below a prefix become jobs",
        response_model=ScheduleBody,
        responses=_problems(422, 503),
        openapi_extra={"requestBody": body},
    )
    async def add(request: Request) -> Response:
        asked = await read_json(request, NewScheduleBody)
        desk = await run_in_threadpool(opener.open)
        schedule = await run_in_threadpool(
            desk.schedules.add, LOCAL, asked.kind, asked.prefix, asked.cron, asked.settings
        )
        headers = {"Location": f"{PATH}/{schedule.id}"}
        return _json(ScheduleBody.of(schedule), 201, headers)


def _add_others(router: APIRouter, opener: DeskOpener) -> None:
    @router.get(PATH, summary="List them", response_model=SchedulesBody, responses=_problems(503))
    async def list_schedules() -> Response:
        desk = await run_in_threadpool(opener.open)
        found = await run_in_threadpool(desk.schedules.of, LOCAL)
        return _json(SchedulesBody(schedules=[ScheduleBody.of(one) for one in found]))

    @router.get(
        PATH + "/{schedule_id}",
        summary="How is it?",
        response_model=ScheduleBody,
        responses=_problems(404, 503),
    )
    async def tell(schedule_id: str) -> Response:
        desk = await run_in_threadpool(opener.open)
        return _json(
            ScheduleBody.of(await run_in_threadpool(desk.schedules.get, LOCAL, schedule_id))
        )

    @router.delete(
        PATH + "/{schedule_id}",
        status_code=204,
        summary="Delete it; its jobs stay",
        response_class=Response,
        responses=_problems(404, 503),
    )
    async def delete(schedule_id: str) -> Response:
        desk = await run_in_threadpool(opener.open)
        await run_in_threadpool(desk.schedules.delete, LOCAL, schedule_id)
        return Response(status_code=204)


def _problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    content = {MEDIA_TYPE: {"schema": Problem.model_json_schema()}}
    return {status: {"description": _WHY[status], "content": content} for status in statuses}


def _json(body: BaseModel, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(body.model_dump_json(), status, headers, media_type=JSON)


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
