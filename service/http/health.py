"""/livez: this process turns its event loop. /readyz: a photo would be answered now. /metrics."""

import asyncio
from datetime import datetime
from typing import Literal, Self

import structlog
from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse, Response

from emotion.errors import CapacityError
from service.answers import ModelBody
from service.data_plane import DataPlane, Readiness
from service.http.problems import MEDIA_TYPE
from service.jobs.job import State as JobState
from service.jobs.opener import DeskOpener
from service.models.registry_watch import State
from service.present import METRICS_TYPE, JobsPresent, render_metrics
from service.storage_errors import StorageUnavailable

_STATE_SECONDS = 2.0

log = structlog.get_logger()


class ServedModelBody(ModelBody):
    """The classifier that would answer."""

    passed_over: list[str] = Field(
        description="Versions that would be served but can't be used, and why; a line each."
    )


class RegistryBody(BaseModel):
    """How it stands with the model registry. The service is ready whatever it is."""

    state: State
    since: datetime
    detail: str = Field(description="Why, in one line.")
    champion: str | None = Field(description="The champion's number there, where it is known.")


class JobsReadyBody(BaseModel):
    """How it stands with jobs. The service is ready whatever it is: they can wait."""

    workers: int = Field(description="Workers that are alive.")
    waiting: int = Field(description="Jobs that wait for one.")
    running: int = Field(description="Jobs in work.")
    detail: str | None = Field(description="What is not as it should be, in one line.")

    @classmethod
    def of(cls, present: JobsPresent) -> Self:
        """Translate."""
        return cls(
            workers=present.workers,
            waiting=present.by_state.get(JobState.QUEUED, 0),
            running=present.by_state.get(JobState.RUNNING, 0),
            detail=None if present.workers else "No worker is running: jobs wait for one.",
        )


class ReadyBody(BaseModel):
    """A photo would be answered now."""

    status: Literal["ready"] = "ready"
    model: ServedModelBody
    registry: RegistryBody
    jobs: JobsReadyBody

    @classmethod
    def of(cls, readiness: Readiness, jobs: JobsReadyBody) -> Self:
        """Translate."""
        model, registry = readiness.model, readiness.registry
        return cls(
            model=ServedModelBody(
                name=model.version.name,
                version=model.version.version,
                passed_over=[str(one) for one in model.passed_over],
            ),
            registry=RegistryBody(
                state=registry.state,
                since=registry.since,
                detail=registry.detail,
                champion=registry.champion,
            ),
            jobs=jobs,
        )


def health_routes(plane: DataPlane, opener: DeskOpener) -> APIRouter:
    """Return the routes that probes ask."""
    router = APIRouter(tags=["health"], default_response_class=PlainTextResponse)

    @router.head("/livez", include_in_schema=False)
    @router.get("/livez", summary="Is the process alive?")
    async def livez() -> Response:
        return PlainTextResponse("alive\n")

    @router.head("/readyz", include_in_schema=False)
    @router.get(
        "/readyz",
        summary="Would a photo be answered now?",
        response_model=ReadyBody,
        responses={503: {"description": "Not ready; says why.", "content": {MEDIA_TYPE: {}}}},
    )
    async def readyz() -> Response:
        body = ReadyBody.of(await plane.check_ready(), await _jobs(opener))
        return Response(body.model_dump_json(), media_type="application/json")

    @router.get("/metrics", summary="Prometheus metrics of all processes of this service")
    async def metrics() -> Response:
        present = await plane.present()
        jobs = await _jobs_present(opener)
        rendered = await run_in_threadpool(render_metrics, present, *jobs)
        return Response(rendered, media_type=METRICS_TYPE)

    return router


async def _jobs(opener: DeskOpener) -> JobsReadyBody:
    try:
        return JobsReadyBody.of(await _present_in_time(opener))
    except CapacityError as error:
        return JobsReadyBody(workers=0, waiting=0, running=0, detail=error.message)


async def _jobs_present(opener: DeskOpener) -> list[JobsPresent]:
    try:
        return [await _present_in_time(opener)]
    except CapacityError as error:
        # What is known is told; that it is not all is in the log, and in /readyz.
        log.warning("jobs_unknown", why=error.message)
        return []


async def _present_in_time(opener: DeskOpener) -> JobsPresent:
    """Ask how it stands with videos, and wait no longer than a probe does: photos don't need it."""
    try:
        return await asyncio.wait_for(asyncio.to_thread(opener.present), _STATE_SECONDS)
    except TimeoutError as error:
        raise StorageUnavailable(
            f"How it stands is not known: the storage didn't answer within {_STATE_SECONDS:.0f} s."
        ) from error
