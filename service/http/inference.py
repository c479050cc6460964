"""The Open Inference Protocol over HTTP: /v2. Errors are the protocol's JSON."""

from http import HTTPStatus

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from emotion.errors import ImageTooLarge, InputError, RaptError
from service.data_plane import DataPlane
from service.http.bodies import read_body
from service.http.disconnects import until_disconnect
from service.http.inference_bodies import answer_response, read_request
from service.http.problems import retry_header, status_of
from service.open_inference.answers import answer, served_version
from service.open_inference.contract import model_facts, server_facts
from service.open_inference.questions import check_model

PREFIX = "/v2"

log = structlog.get_logger()


def inference_app(plane: DataPlane) -> ASGIApp:
    """Return the application that answers all paths under ``PREFIX``."""
    routes = _Routes(plane)
    model = f"{PREFIX}/models/{{model}}"
    version = f"{model}/versions/{{version}}"
    app = Starlette(
        routes=[
            Route(PREFIX, routes.server_metadata),
            Route(f"{PREFIX}/health/live", routes.server_live),
            Route(f"{PREFIX}/health/ready", routes.server_ready),
            *(Route(path, routes.model_metadata) for path in (model, version)),
            *(Route(f"{path}/ready", routes.model_ready) for path in (model, version)),
            *(
                Route(f"{path}/infer", routes.model_infer, methods=["POST"])
                for path in (model, version)
            ),
        ],
        exception_handlers=dict.fromkeys(
            (RaptError, HTTPException, ClientDisconnect, Exception), _on_error
        ),
    )
    # A redirect would name the host that the caller sent.
    app.router.redirect_slashes = False
    return app


class _Routes:
    def __init__(self, plane: DataPlane) -> None:
        self._plane = plane

    async def server_live(self, request: Request) -> Response:  # noqa: ARG002  # Starlette's form
        return JSONResponse({"live": True})

    async def server_ready(self, request: Request) -> Response:  # noqa: ARG002  # as above
        await self._plane.check_ready()
        return JSONResponse({"ready": True})

    async def server_metadata(self, request: Request) -> Response:  # noqa: ARG002  # as above
        return JSONResponse(server_facts())

    async def model_metadata(self, request: Request) -> Response:
        return JSONResponse(model_facts(await self._served_version(request)))

    async def model_ready(self, request: Request) -> Response:
        await self._served_version(request)
        return JSONResponse({"name": request.path_params["model"], "ready": True})

    async def model_infer(self, request: Request) -> Response:
        settings = self._plane.settings
        async with until_disconnect(request) as connected, self._plane.request() as slot:
            check_model(request.path_params["model"])
            body = await read_body(connected, slot, settings.max_message_bytes)
            version = request.path_params.get("version", "")
            asked, question = read_request(body, request.headers, version, settings.max_photos)
            del body
            return answer_response(asked, await answer(self._plane, question, slot.deadline))

    async def _served_version(self, request: Request) -> str:
        path = request.path_params
        return await served_version(self._plane, path["model"], path.get("version", ""))


async def _on_error(request: Request, error: Exception) -> Response:
    match error:
        case RaptError():
            # The protocol knows one status for what the caller did wrong; too large is HTTP's own.
            is_wrong = isinstance(error, InputError) and not isinstance(error, ImageTooLarge)
            status = HTTPStatus.BAD_REQUEST if is_wrong else status_of(error)
            return _error(status, error.message, retry_header(error))
        case HTTPException():
            detail = f"{error.detail}: nothing answers this {request.method}."
            return _error(error.status_code, detail, dict(error.headers or {}))
        case ClientDisconnect():
            log.info("client_hung_up")
            return Response(status_code=499)
        case _:
            log.error("unexpected_error", exc_info=error)
            detail = "An unexpected error; the server's log has it under this request's id."
            return _error(HTTPStatus.INTERNAL_SERVER_ERROR, detail, {})


def _error(status: int, message: str, headers: dict[str, str]) -> Response:
    """Return the protocol's error. It closes the connection: the body may be unread."""
    return JSONResponse({"error": message}, status, {"Connection": "close", **headers})
