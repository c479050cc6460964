"""The routes of a kind of jobs: something in, a job that can be followed, a report out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from emotion.errors import InvalidRequest
from emotion.reports.formats import MEDIA_TYPES
from service.http.job_answers import JobBody, JobsBody, page_of, path_of, place_of, read_cursor
from service.http.job_bodies import JSON, ReferenceBody, read_reference
from service.http.job_events import MEDIA_TYPE as EVENT_STREAM
from service.http.job_events import Followers
from service.http.problems import MEDIA_TYPE, Problem
from service.http.report_formats import choose_format
from service.http.upload_bodies import UploadForm, media_type_of, read_upload
from service.http.webhooks import read_webhook
from service.jobs.job import LOCAL, Job, Kind, Priority
from service.jobs.opener import DeskOpener
from service.jobs.requests import JobRequest, priority_of, settings_of
from service.jobs.uploads import Upload
from service.settings import Settings

_MOST_LISTED = 100
_MOST_KEY = 255
_BYTES = {"type": "string", "format": "binary"}
_WHY = {
    400: "It is empty, truncated or corrupt.",
    404: "There is no such job.",
    406: "Not a form that a report has.",
    409: "The job's state doesn't allow it.",
    413: "Too many bytes.",
    415: "Not of an accepted kind.",
    422: "A field is missing or wrong.",
    503: "Too much at once, or the storage doesn't answer. Try again after Retry-After seconds.",
    504: "It took too long to arrive.",
    507: "The storage is full.",
}


@dataclass(frozen=True, slots=True)
class JobRoutes:
    """What is particular to the routes of a kind.

    Attributes:
        kind: of jobs.
        form: how a file is sent.
        numbers: settings that a caller may give as query parameters.
        listed: the body of a page.
    """

    kind: Kind
    form: UploadForm
    numbers: tuple[str, ...]
    listed: type[JobsBody]

    def add_to(
        self, router: APIRouter, opener: DeskOpener, settings: Settings, followers: Followers
    ) -> None:
        """Add the routes that take jobs in and tell of them."""
        self._add_upload(router, opener, settings)
        self._add_states(router, opener)
        self._add_events(router, opener, followers)
        self._add_report(router, opener)
        self._add_ends(router, opener)

    @property
    def _path(self) -> str:
        return path_of(self.kind)

    def _add_upload(self, router: APIRouter, opener: DeskOpener, settings: Settings) -> None:
        @router.post(
            self._path,
            status_code=202,
            summary=f"Have a {self.kind.noun} analysed",
            response_model=JobBody,
            responses=_problems(400, 409, 413, 415, 422, 503, 504, 507),
            openapi_extra=self._described_upload(),
        )
        async def send(request: Request) -> Response:
            self._check_query(request)
            desk = await run_in_threadpool(opener.open)
            if media_type_of(request) == JSON:
                reference = await self._read_reference(request, settings)
                job = await run_in_threadpool(desk.request, LOCAL, reference)
            else:
                job = await desk.accept(LOCAL, await self._read_upload(request, settings))
            is_worked_on = await run_in_threadpool(desk.is_worked_on)
            body = JobBody.of(job, is_worked_on=is_worked_on)
            return _json(body.model_dump_json(), 202, {"Location": place_of(job)})

    def _add_states(self, router: APIRouter, opener: DeskOpener) -> None:
        @router.get(
            self._path,
            summary="List them, the newest first",
            response_model=self.listed,
            responses=_problems(422, 503),
            openapi_extra={"parameters": [_query("limit", "integer"), _query("cursor", "string")]},
        )
        async def list_jobs(request: Request) -> Response:
            limit = _read_limit(request)
            cursor = request.query_params.get("cursor")
            after = None if cursor is None else read_cursor(cursor)
            desk = await run_in_threadpool(opener.open)
            found = await run_in_threadpool(desk.page, LOCAL, self.kind, limit + 1, after)
            return _json(page_of(self.kind, found, limit).model_dump_json())

        @router.get(
            self._path + "/{job_id}",
            summary="How far is it?",
            response_model=JobBody,
            responses=_problems(404, 503),
        )
        async def tell(job_id: str) -> Response:
            desk = await run_in_threadpool(opener.open)
            job = await run_in_threadpool(desk.get, LOCAL, self.kind, job_id)
            is_worked_on = await run_in_threadpool(desk.is_worked_on)
            return _json(JobBody.of(job, is_worked_on=is_worked_on).model_dump_json())

    def _add_events(self, router: APIRouter, opener: DeskOpener, followers: Followers) -> None:
        @router.get(
            self._path + "/{job_id}/events",
            summary="Follow its progress (server-sent events)",
            response_class=StreamingResponse,
            responses={200: {"content": {EVENT_STREAM: {}}}, **_problems(404, 503)},
        )
        async def follow(job_id: str) -> Response:
            desk = await run_in_threadpool(opener.open)
            job = await run_in_threadpool(desk.get, LOCAL, self.kind, job_id)
            events = followers.follow(desk, LOCAL, job)
            headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
            return StreamingResponse(events, media_type=EVENT_STREAM, headers=headers)

    def _add_report(self, router: APIRouter, opener: DeskOpener) -> None:
        @router.get(
            self._path + "/{job_id}/report",
            summary="Its report, as JSON, CSV or a page",
            response_class=Response,
            responses={
                200: {"content": {kind.partition(";")[0]: {} for kind in MEDIA_TYPES.values()}},
                **_problems(404, 406, 409, 422, 503),
            },
            openapi_extra={"parameters": [_query("format", "string")]},
        )
        async def report(request: Request, job_id: str) -> Response:
            form = choose_format(request)
            desk = await run_in_threadpool(opener.open)
            content = await run_in_threadpool(desk.report, LOCAL, self.kind, job_id, form)
            headers = {
                "Content-Disposition": f'inline; filename="{job_id}.{form}"',
                "Vary": "Accept",
                "X-Content-Type-Options": "nosniff",
            }
            return Response(content, media_type=MEDIA_TYPES[form], headers=headers)

    def _add_ends(self, router: APIRouter, opener: DeskOpener) -> None:
        @router.post(
            self._path + "/{job_id}:cancel",
            summary="End the work on it",
            response_model=JobBody,
            responses=_problems(404, 409, 503),
        )
        async def cancel(job_id: str) -> Response:
            desk = await run_in_threadpool(opener.open)
            job: Job = await run_in_threadpool(desk.cancel, LOCAL, self.kind, job_id)
            return _json(JobBody.of(job).model_dump_json())

        @router.delete(
            self._path + "/{job_id}",
            status_code=204,
            summary="Erase it: upload, report and all that is known of it",
            response_class=Response,
            responses=_problems(404, 503),
        )
        async def delete(job_id: str) -> Response:
            desk = await run_in_threadpool(opener.open)
            await run_in_threadpool(desk.delete, LOCAL, self.kind, job_id)
            return Response(status_code=204)

    async def _read_upload(self, request: Request, settings: Settings) -> Upload:
        analysis = settings_of(self.kind, self._read_numbers(request), settings)
        key = _read_key(request)
        webhook = read_webhook(request, settings)
        body = await read_upload(request, self.form)
        return Upload(
            kind=self.kind,
            chunks=body.chunks,
            announced=body.announced,
            name=body.name,
            settings=analysis,
            key=key,
            priority=_read_priority(request),
            webhook=webhook,
        )

    async def _read_reference(self, request: Request, settings: Settings) -> JobRequest:
        webhook = read_webhook(request, settings)
        body = await read_reference(request)
        return JobRequest(
            kind=self.kind,
            uri=body.uri,
            name=body.name,
            settings=self._read_numbers(request),
            key=_read_key(request),
            priority=_read_priority(request),
            webhook=webhook,
        )

    def _check_query(self, request: Request) -> None:
        """Refuse what would be left aside: a job takes minutes, and a misspelt word another run."""
        given = [name for name, _ in request.query_params.multi_items()]
        known = (*self.numbers, "priority", "webhook")
        for name in given:
            if name not in known:
                raise InvalidRequest(f"{name[:32]!r} is none of {', '.join(known)}.")
            if given.count(name) > 1:
                raise InvalidRequest(f"{name}: give it once.")

    def _read_numbers(self, request: Request) -> dict[str, float]:
        given = request.query_params
        return {name: _number(given[name], name) for name in self.numbers if name in given}

    def _described_upload(self) -> dict[str, Any]:
        types = (f"{one}*" if one.endswith("/") else one for one in self.form.types)
        field = self.form.field
        form = {"type": "object", "properties": {field: _BYTES}, "required": [field]}
        content: Mapping[str, Any] = {
            **{kind: {"schema": _BYTES} for kind in (*types, "application/octet-stream")},
            "multipart/form-data": {"schema": form},
            JSON: {"schema": ReferenceBody.model_json_schema()},
        }
        priority = _query("priority", "string", enum=list(Priority))
        key = {"name": "Idempotency-Key", "in": "header", "schema": {"type": "string"}}
        queries = [_query(name, "number") for name in self.numbers]
        return {
            "parameters": [*queries, priority, _query("webhook", "string"), key],
            "requestBody": {"required": True, "content": content},
        }


def _read_key(request: Request) -> str | None:
    key = request.headers.get("idempotency-key")
    if key is not None and not 0 < len(key) <= _MOST_KEY:
        raise InvalidRequest(f"Idempotency-Key: it has 1 to {_MOST_KEY} characters.")
    return key


def _read_priority(request: Request) -> Priority:
    return priority_of(request.query_params.get("priority", Priority.NORMAL))


def _read_limit(request: Request) -> int:
    limit = _number(request.query_params.get("limit", "20"), "limit")
    if not (1 <= limit <= _MOST_LISTED and limit.is_integer()):
        raise InvalidRequest(f"limit: it is a whole number from 1 to {_MOST_LISTED}.")
    return int(limit)


def _number(value: str, name: str) -> float:
    try:
        return float(value)
    except ValueError as error:
        raise InvalidRequest(f"{name}: {value[:32]!r} is not a number.") from error


def _json(content: str, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(content, status, headers, media_type="application/json")


def _problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    content = {MEDIA_TYPE: {"schema": Problem.model_json_schema()}}
    return {status: {"description": _WHY[status], "content": content} for status in statuses}


def _query(name: str, kind: str, **more: object) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": {"type": kind, **more}}
