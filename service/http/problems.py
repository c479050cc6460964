"""Errors as problem JSON (RFC 9457): one shape everywhere, and the one table of statuses."""

from http import HTTPStatus

from pydantic import BaseModel, Field
from starlette.responses import Response

from emotion.errors import (
    CapacityError,
    DeadlineExceeded,
    ImageTooLarge,
    InvalidRequest,
    ModelError,
    PhotoSetTooLarge,
    RaptError,
    UndecodableImage,
    UndecodablePhotoSet,
    UndecodableVideo,
    UnsupportedImage,
    UnsupportedPhotoSet,
    UnsupportedVideo,
    VideoTooLarge,
    VideoTooLong,
)
from service.jobs.errors import JobConflict, UnknownJob, UnknownSchedule
from service.retries import retry_after
from service.storage_errors import StorageFull

MEDIA_TYPE = "application/problem+json"

_STATUSES: dict[type[RaptError], HTTPStatus] = {
    UndecodableImage: HTTPStatus.BAD_REQUEST,
    UndecodableVideo: HTTPStatus.BAD_REQUEST,
    UndecodablePhotoSet: HTTPStatus.BAD_REQUEST,
    UnknownJob: HTTPStatus.NOT_FOUND,
    UnknownSchedule: HTTPStatus.NOT_FOUND,
    JobConflict: HTTPStatus.CONFLICT,
    ImageTooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    VideoTooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    PhotoSetTooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    VideoTooLong: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    UnsupportedImage: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    UnsupportedVideo: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    UnsupportedPhotoSet: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    InvalidRequest: HTTPStatus.UNPROCESSABLE_ENTITY,
    CapacityError: HTTPStatus.SERVICE_UNAVAILABLE,
    DeadlineExceeded: HTTPStatus.GATEWAY_TIMEOUT,
    StorageFull: HTTPStatus.INSUFFICIENT_STORAGE,
    ModelError: HTTPStatus.SERVICE_UNAVAILABLE,
}


class Problem(BaseModel):
    """What went wrong."""

    type: str = Field(examples=["urn:rapt:problem:image-too-large"])
    title: str = Field(examples=["Request Entity Too Large"])
    status: int = Field(examples=[413])
    detail: str = Field(description="What is wrong with this request and what to do.")
    instance: str = Field(description="The request's id.", examples=["urn:rapt:request:0b6e..."])


def problem_of(error: RaptError, request_id: str) -> Problem:
    """Translate an error of the domain."""
    status = status_of(error)
    return _problem(status, error.kind, error.message, request_id)


def problem_of_status(status: int, detail: str, request_id: str) -> Problem:
    """Describe an error that only HTTP knows, such as an unknown path."""
    known = HTTPStatus(status)
    return _problem(known, known.phrase.lower().replace(" ", "-"), detail, request_id)


def problem_response(error: RaptError, request_id: str) -> Response:
    """Answer with a problem, and with when to try again where that may help."""
    return response_of(problem_of(error, request_id), retry_header(error))


def retry_header(error: RaptError) -> dict[str, str]:
    """Return the header Retry-After, where trying again may help."""
    seconds = retry_after(error)
    return {} if seconds is None else {"Retry-After": str(seconds)}


def response_of(problem: Problem, headers: dict[str, str] | None = None) -> Response:
    """Return the response. It closes the connection: the body may be unread."""
    return Response(
        problem.model_dump_json(),
        status_code=problem.status,
        media_type=MEDIA_TYPE,
        headers={"Connection": "close", **(headers or {})},
    )


def status_of(error: RaptError) -> HTTPStatus:
    """Return the status of an error."""
    return next(_STATUSES[kind] for kind in type(error).__mro__ if kind in _STATUSES)


def _problem(status: HTTPStatus, kind: str, detail: str, request_id: str) -> Problem:
    return Problem(
        type=f"urn:rapt:problem:{kind}",
        title=status.phrase,
        status=status.value,
        detail=detail,
        instance=f"urn:rapt:request:{request_id}",
    )
