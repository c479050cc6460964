"""POST /v1/photos and POST /v1/photos:batch."""

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from emotion.errors import RaptError
from emotion.image import ACCEPTED
from service.answers import PhotoBody
from service.data_plane import DataPlane
from service.http.answers import BatchBody, IdentifiedPhotoBody
from service.http.bodies import FIELD, read_photo, read_photos
from service.http.disconnects import until_disconnect
from service.http.problems import MEDIA_TYPE, Problem
from service.http.request_ids import request_id_of

_BYTES = {"type": "string", "format": "binary"}
_PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"description": why, "content": {MEDIA_TYPE: {"schema": Problem.model_json_schema()}}}
    for status, why in {
        400: "The photo is empty, truncated or corrupt.",
        413: "Too many bytes or pixels.",
        415: f"Not an image of an accepted kind ({', '.join(ACCEPTED)}).",
        422: "A field is missing or wrong.",
        503: "Full, or a model does not answer. Try again after Retry-After seconds.",
        504: "Not answered in time.",
    }.items()
}


def photo_routes(plane: DataPlane) -> APIRouter:
    """Return the routes that answer photos through a data plane."""
    router = APIRouter(tags=["photos"])
    settings = plane.settings

    @router.post(
        "/v1/photos",
        summary="Say what one photo shows",
        response_model=IdentifiedPhotoBody,
        responses=_PROBLEMS,
        openapi_extra={"requestBody": _request_body(_form(_BYTES), plain=_BYTES)},
    )
    async def analyse_photo(request: Request) -> Response:
        request_id = request_id_of(request.scope)
        async with until_disconnect(request) as connected, plane.request() as slot:
            photo = await read_photo(connected, slot, settings.max_bytes)
            (answer,) = await plane.analyse([photo], slot.deadline)
            if isinstance(answer, RaptError):
                raise answer
        body = IdentifiedPhotoBody(id=request_id, **dict(PhotoBody.of(answer)))
        return _json(body.model_dump_json())

    @router.post(
        "/v1/photos:batch",
        summary="Say what each of several photos shows",
        response_model=BatchBody,
        responses=_PROBLEMS,
        openapi_extra={"requestBody": _request_body(_form({"type": "array", "items": _BYTES}))},
    )
    async def analyse_photos(request: Request) -> Response:
        request_id = request_id_of(request.scope)
        async with until_disconnect(request) as connected, plane.request() as slot:
            photos = await read_photos(
                connected, slot, max_photos=settings.max_photos, max_bytes=settings.max_batch_bytes
            )
            results = await plane.analyse(photos, slot.deadline)
        return _json(BatchBody.of(request_id, results).model_dump_json())

    return router


def _request_body(form: dict[str, Any], plain: dict[str, Any] | None = None) -> dict[str, Any]:
    """Describe a body for OpenAPI: a form, or the plain bytes of a photo."""
    content = {"multipart/form-data": {"schema": form}}
    if plain is not None:
        types = ("image/*", "application/octet-stream")
        content = {**{kind: {"schema": plain} for kind in types}, **content}
    return {"required": True, "content": content}


def _form(photo: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": {FIELD: photo}, "required": [FIELD]}


def _json(content: str) -> Response:
    return Response(content, media_type="application/json")
