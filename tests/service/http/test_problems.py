import json

import pytest

from emotion.errors import (
    ContractMismatch,
    DeadlineExceeded,
    ImageTooLarge,
    InputError,
    InvalidRequest,
    ModelError,
    ModelUnavailable,
    Overloaded,
    PhotoSetTooLarge,
    RaptError,
    Stopped,
    UndecodableImage,
    UndecodablePhotoSet,
    UndecodableVideo,
    UnsupportedImage,
    UnsupportedPhotoSet,
    UnsupportedVideo,
    VideoTooLarge,
    VideoTooLong,
)
from service.http.problems import problem_of, problem_of_status, problem_response
from service.jobs.errors import JobConflict, UnknownJob, UnknownSchedule
from service.models.pull import ChampionUnplaced
from service.models.registry import (
    ChampionRefused,
    NoChampion,
    RegistryMisconfigured,
    RegistryUnreachable,
)
from service.storage_errors import StorageFull, StorageUnavailable

STATUSES: dict[type[RaptError], int] = {
    UndecodableImage: 400,
    UndecodableVideo: 400,
    UndecodablePhotoSet: 400,
    UnknownJob: 404,
    UnknownSchedule: 404,
    JobConflict: 409,
    ImageTooLarge: 413,
    VideoTooLarge: 413,
    VideoTooLong: 413,
    PhotoSetTooLarge: 413,
    UnsupportedImage: 415,
    UnsupportedVideo: 415,
    UnsupportedPhotoSet: 415,
    InvalidRequest: 422,
    Overloaded: 503,
    Stopped: 503,
    StorageUnavailable: 503,
    StorageFull: 507,
    DeadlineExceeded: 504,
    ModelUnavailable: 503,
    ContractMismatch: 503,
    ChampionRefused: 503,
    ChampionUnplaced: 503,
    NoChampion: 503,
    RegistryMisconfigured: 422,
    RegistryUnreachable: 503,
}


def leaves(kind: type[RaptError]) -> list[type[RaptError]]:
    """The errors that are raised: those that no other stands on."""
    heirs = kind.__subclasses__()
    return [leaf for heir in heirs for leaf in leaves(heir)] if heirs else [kind]


@pytest.mark.parametrize("kind", leaves(RaptError))
def test_every_error_has_a_status_of_its_own_or_of_its_kind(kind: type[RaptError]) -> None:
    assert problem_of(kind("why"), "r1").status == STATUSES[kind]


@pytest.mark.parametrize("kind", leaves(InputError))
def test_the_callers_fault_is_a_400_and_never_worth_a_retry(kind: type[RaptError]) -> None:
    response = problem_response(kind("why"), "r1")
    assert 400 <= response.status_code < 500
    assert "retry-after" not in response.headers


@pytest.mark.parametrize("kind", leaves(ModelError))
def test_our_fault_says_when_to_try_again(kind: type[RaptError]) -> None:
    assert problem_response(kind("why"), "r1").headers["retry-after"] == "10"


def test_a_wait_is_rounded_up_to_whole_seconds() -> None:
    response = problem_response(Overloaded("full", retry_after=1.2), "r1")
    assert response.headers["retry-after"] == "2"


def test_a_problem_is_this_json_and_closes_the_connection() -> None:
    response = problem_response(DeadlineExceeded("Too late."), "r1")
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["connection"] == "close"
    assert json.loads(bytes(response.body)) == {
        "type": "urn:rapt:problem:deadline-exceeded",
        "title": "Gateway Timeout",
        "status": 504,
        "detail": "Too late.",
        "instance": "urn:rapt:request:r1",
    }


def test_what_only_http_knows_has_the_same_shape() -> None:
    problem = problem_of_status(405, "GET /v1/photos", "r1")
    assert (problem.type, problem.status) == ("urn:rapt:problem:method-not-allowed", 405)
