"""The front: the ASGI application that every topology serves, whoever stands behind it."""

from collections.abc import Callable
from pathlib import Path

import bentoml
import structlog
from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from emotion.errors import RaptError
from service.data_plane import DataPlane
from service.http.health import health_routes
from service.http.inference import PREFIX, inference_app
from service.http.jobs import job_routes
from service.http.last_requests import LastRequests
from service.http.lingering import LingeringClose
from service.http.observed import ObservedRequests
from service.http.photos import photo_routes
from service.http.problems import problem_of_status, problem_response, response_of
from service.http.request_ids import RequestIds, request_id_of
from service.http.schedules import schedule_routes
from service.jobs.opener import DeskOpener
from service.metrics import HttpMetrics

# BentoML ships Swagger UI; FastAPI's own page would load it from another host.
_SWAGGER = Path(bentoml.__file__).parent / "_internal" / "server" / "static_content"
_DESCRIPTION = (
    "Finds the faces in a photo or a video and says which of seven expressions each shows: an "
    "*apparent* expression, not what somebody feels."
)

log = structlog.get_logger()


def create_front(
    plane: DataPlane, opener: DeskOpener, make_metrics: Callable[[], HttpMetrics] = HttpMetrics
) -> ASGIApp:
    """Return the application; it answers photos once the data plane has been started.

    Args:
        plane: for photos.
        opener: of the desk, for jobs.
        make_metrics: makes what requests are counted with, once there is one.
    """
    app = FastAPI(
        title="Rapt",
        description=_DESCRIPTION,
        version="1",
        docs_url=None,
        redoc_url=None,
        # A redirect to the same path without its slash would name the host that the caller sent.
        redirect_slashes=False,
    )
    app.include_router(photo_routes(plane))
    app.include_router(job_routes(opener, plane.settings, plane.ending))
    app.include_router(schedule_routes(opener))
    app.include_router(health_routes(plane, opener))
    _add_pages(app)
    _add_error_handlers(app)
    answering = _Protocols(app, inference_app(plane))
    last = LastRequests(answering, plane.ending, plane.settings.deadline_seconds)
    # Outermost of those that answer: whoever is given up may be sending still.
    return RequestIds(ObservedRequests(LingeringClose(last, plane.ending), make_metrics))


class _Protocols:
    """ASGI: the Open Inference Protocol has its paths and its own form of errors."""

    def __init__(self, app: ASGIApp, inference: ASGIApp) -> None:
        self._app = app
        self._inference = inference

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = f"{scope['path']}/" if scope["type"] == "http" else ""
        app = self._inference if path.startswith(f"{PREFIX}/") else self._app
        await app(scope, receive, send)


def _add_pages(app: FastAPI) -> None:
    app.mount("/docs/assets", StaticFiles(directory=_SWAGGER), name="swagger")

    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        return get_swagger_ui_html(
            openapi_url="openapi.json",
            title="Rapt API",
            swagger_js_url="docs/assets/swagger-ui-bundle.js",
            swagger_css_url="docs/assets/swagger-ui.css",
            swagger_favicon_url="docs/assets/favicon-light-32x32.png",
        )

    @app.get("/", include_in_schema=False)
    async def index() -> RedirectResponse:
        return RedirectResponse("docs")


def _add_error_handlers(app: FastAPI) -> None:
    @app.exception_handler(RaptError)
    async def on_rapt_error(request: Request, error: RaptError) -> Response:
        return problem_response(error, request_id_of(request.scope))

    @app.exception_handler(HTTPException)
    async def on_http_error(request: Request, error: HTTPException) -> Response:
        request_id = request_id_of(request.scope)
        detail = f"{error.detail}. The API is described at /docs."
        return response_of(
            problem_of_status(error.status_code, detail, request_id), dict(error.headers or {})
        )

    @app.exception_handler(ClientDisconnect)
    async def on_disconnect(request: Request, error: ClientDisconnect) -> Response:  # noqa: ARG001
        log.info("client_hung_up")
        return Response(status_code=499)

    @app.exception_handler(Exception)
    async def on_bug(request: Request, error: Exception) -> Response:
        request_id = request_id_of(request.scope)
        log.error("unexpected_error", exc_info=error)
        detail = "An unexpected error; the server's log has it under this request's id."
        return response_of(problem_of_status(500, detail, request_id))
