"""/v1/videos: a video in, a job that can be followed, a report out."""

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from emotion.errors import InvalidRequest
from emotion.reports.formats import MEDIA_TYPES
from emotion.video.settings import VideoSettings
from service.http.problems import MEDIA_TYPE, Problem
from service.http.report_formats import choose_format
from service.http.video_answers import PATH, VideoBody, VideosBody, place_of, read_cursor
from service.http.video_bodies import FIELD, read_video
from service.http.video_events import MEDIA_TYPE as EVENT_STREAM
from service.http.video_events import Followers, events_of
from service.http.webhooks import read_webhook
from service.jobs.job import LOCAL
from service.jobs.opener import DeskOpener
from service.jobs.uploads import Upload
from service.settings import Settings

_MOST_LISTED = 100
_MOST_KEY = 255
_BYTES = {"type": "string", "format": "binary"}
_FORM = {"type": "object", "properties": {FIELD: _BYTES}, "required": [FIELD]}
_WHY = {
    400: "The video is empty, truncated or corrupt.",
    404: "There is no such video.",
    406: "Not a form that a report has.",
    409: "The video's state doesn't allow it.",
    413: "Too many bytes.",
    415: "Not a video of an accepted kind.",
    422: "A field is missing or wrong.",
    503: "Too much at once, or the storage doesn't answer. Try again after Retry-After seconds.",
    504: "It took too long to arrive.",
    507: "The storage is full.",
}


def video_routes(opener: DeskOpener, settings: Settings) -> APIRouter:
    """Return the routes that take videos in and tell of them."""
    router = APIRouter(tags=["videos"])
    _add_upload(router, opener, settings)
    _add_states(router, opener)
    _add_events(router, opener, Followers(settings.max_event_streams))
    _add_report(router, opener)
    _add_ends(router, opener)
    return router


def _add_upload(router: APIRouter, opener: DeskOpener, settings: Settings) -> None:
    @router.post(
        PATH,
        status_code=202,
        summary="Send a video to be analysed",
        response_model=VideoBody,
        responses=_problems(400, 409, 413, 415, 422, 503, 504, 507),
        openapi_extra=_upload(),
    )
    async def send(request: Request) -> Response:
        desk = await run_in_threadpool(opener.open)
        video = await desk.accept(LOCAL, await _read_upload(request, settings))
        is_worked_on = await run_in_threadpool(desk.is_worked_on)
        body = VideoBody.of(video, is_worked_on=is_worked_on)
        return _json(body.model_dump_json(), 202, {"Location": place_of(video)})


def _add_states(router: APIRouter, opener: DeskOpener) -> None:
    @router.get(
        PATH,
        summary="List videos, the newest first",
        response_model=VideosBody,
        responses=_problems(422, 503),
        openapi_extra={"parameters": [_query("limit", "integer"), _query("cursor", "string")]},
    )
    async def list_videos(request: Request) -> Response:
        limit = _read_limit(request)
        cursor = request.query_params.get("cursor")
        after = None if cursor is None else read_cursor(cursor)
        desk = await run_in_threadpool(opener.open)
        found = await run_in_threadpool(desk.page, LOCAL, limit + 1, after)
        return _json(VideosBody.of(found, limit).model_dump_json())

    @router.get(
        PATH + "/{video_id}",
        summary="How far is it?",
        response_model=VideoBody,
        responses=_problems(404, 503),
    )
    async def tell(video_id: str) -> Response:
        desk = await run_in_threadpool(opener.open)
        video = await run_in_threadpool(desk.get, LOCAL, video_id)
        is_worked_on = await run_in_threadpool(desk.is_worked_on)
        return _json(VideoBody.of(video, is_worked_on=is_worked_on).model_dump_json())


def _add_events(router: APIRouter, opener: DeskOpener, followers: Followers) -> None:
    @router.get(
        PATH + "/{video_id}/events",
        summary="Follow its progress (server-sent events)",
        response_class=StreamingResponse,
        responses={200: {"content": {EVENT_STREAM: {}}}, **_problems(404, 503)},
    )
    async def follow(video_id: str) -> Response:
        desk = await run_in_threadpool(opener.open)
        video = await run_in_threadpool(desk.get, LOCAL, video_id)
        events = followers.counted(events_of(desk, LOCAL, video))
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(events, media_type=EVENT_STREAM, headers=headers)


def _add_report(router: APIRouter, opener: DeskOpener) -> None:
    @router.get(
        PATH + "/{video_id}/report",
        summary="Its report, as JSON, CSV or a page",
        response_class=Response,
        responses={
            200: {"content": {kind.partition(";")[0]: {} for kind in MEDIA_TYPES.values()}},
            **_problems(404, 406, 409, 422, 503),
        },
        openapi_extra={"parameters": [_query("format", "string")]},
    )
    async def report(request: Request, video_id: str) -> Response:
        form = choose_format(request)
        desk = await run_in_threadpool(opener.open)
        content = await run_in_threadpool(desk.report, LOCAL, video_id, form)
        headers = {
            "Content-Disposition": f'inline; filename="{video_id}.{form}"',
            "Vary": "Accept",
            "X-Content-Type-Options": "nosniff",
        }
        return Response(content, media_type=MEDIA_TYPES[form], headers=headers)


def _add_ends(router: APIRouter, opener: DeskOpener) -> None:
    @router.post(
        PATH + "/{video_id}:cancel",
        summary="End the work on it",
        response_model=VideoBody,
        responses=_problems(404, 409, 503),
    )
    async def cancel(video_id: str) -> Response:
        desk = await run_in_threadpool(opener.open)
        video = await run_in_threadpool(desk.cancel, LOCAL, video_id)
        return _json(VideoBody.of(video).model_dump_json())

    @router.delete(
        PATH + "/{video_id}",
        status_code=204,
        summary="Erase it: upload, report and all that is known of it",
        response_class=Response,
        responses=_problems(404, 503),
    )
    async def delete(video_id: str) -> Response:
        desk = await run_in_threadpool(opener.open)
        await run_in_threadpool(desk.delete, LOCAL, video_id)
        return Response(status_code=204)


async def _read_upload(request: Request, settings: Settings) -> Upload:
    interval = _number(request.query_params.get("interval"), "interval", VideoSettings().interval)
    analysis = VideoSettings(interval, settings.segment_seconds, settings.min_score)
    key = request.headers.get("idempotency-key")
    if key is not None and not 0 < len(key) <= _MOST_KEY:
        raise InvalidRequest(f"Idempotency-Key: it has 1 to {_MOST_KEY} characters.")
    webhook = read_webhook(request, settings)
    body = await read_video(request)
    return Upload(
        chunks=body.chunks,
        announced=body.announced,
        name=body.name,
        settings=asdict(analysis),
        key=key,
        webhook=webhook,
    )


def _read_limit(request: Request) -> int:
    limit = _number(request.query_params.get("limit"), "limit", 20)
    if not (1 <= limit <= _MOST_LISTED and limit.is_integer()):
        raise InvalidRequest(f"limit: it is a whole number from 1 to {_MOST_LISTED}.")
    return int(limit)


def _number(value: str | None, name: str, default: float) -> float:
    if value is None:
        return float(default)
    try:
        return float(value)
    except ValueError as error:
        raise InvalidRequest(f"{name}: {value[:32]!r} is not a number.") from error


def _json(content: str, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(content, status, headers, media_type="application/json")


def _problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    content = {MEDIA_TYPE: {"schema": Problem.model_json_schema()}}
    return {status: {"description": _WHY[status], "content": content} for status in statuses}


def _upload() -> dict[str, Any]:
    kinds = {kind: {"schema": _BYTES} for kind in ("video/*", "application/octet-stream")}
    return {
        "parameters": [
            _query("interval", "number"),
            _query("webhook", "string"),
            {"name": "Idempotency-Key", "in": "header", "schema": {"type": "string"}},
        ],
        "requestBody": {
            "required": True,
            "content": {**kinds, "multipart/form-data": {"schema": _FORM}},
        },
    }


def _query(name: str, kind: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": {"type": kind}}
