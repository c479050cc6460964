"""/livez: this process turns its event loop. /readyz: a photo would be answered now. /metrics."""

from datetime import datetime
from typing import Literal, Self

from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse, Response

from service.answers import ModelBody
from service.data_plane import DataPlane, Readiness
from service.http.problems import MEDIA_TYPE
from service.metrics import METRICS_TYPE, render_metrics
from service.models.registry_watch import State


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


class ReadyBody(BaseModel):
    """A photo would be answered now."""

    status: Literal["ready"] = "ready"
    model: ServedModelBody
    registry: RegistryBody

    @classmethod
    def of(cls, readiness: Readiness) -> Self:
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
        )


def health_routes(plane: DataPlane) -> APIRouter:
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
        body = ReadyBody.of(await plane.check_ready())
        return Response(body.model_dump_json(), media_type="application/json")

    @router.get("/metrics", summary="Prometheus metrics of all processes of this service")
    async def metrics() -> Response:
        present = await plane.present()
        rendered = await run_in_threadpool(render_metrics, present)
        return Response(rendered, media_type=METRICS_TYPE)

    return router
