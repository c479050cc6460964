"""/livez: this process turns its event loop. /readyz: a photo would be answered now. /metrics."""

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse, Response

from service.data_plane import DataPlane
from service.http.problems import MEDIA_TYPE
from service.metrics import METRICS_TYPE, render_metrics


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
        responses={503: {"description": "Not ready; says why.", "content": {MEDIA_TYPE: {}}}},
    )
    async def readyz() -> Response:
        await plane.check_ready()
        return PlainTextResponse("ready\n")

    @router.get("/metrics", summary="Prometheus metrics of all processes of this service")
    async def metrics() -> Response:
        return Response(await run_in_threadpool(render_metrics), media_type=METRICS_TYPE)

    return router
