import grpc
import pytest

from emotion.errors import (
    DeadlineExceeded,
    InputError,
    ModelError,
    Overloaded,
    RaptError,
)
from service.grpc.statuses import retry_metadata, status_of
from tests.service.http.test_problems import leaves


def test_every_error_has_a_status() -> None:
    assert {status_of(kind("why")) for kind in leaves(RaptError)} == {
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.UNAVAILABLE,
    }


@pytest.mark.parametrize("kind", leaves(InputError))
def test_the_callers_fault_is_an_invalid_argument_and_never_worth_a_retry(
    kind: type[RaptError],
) -> None:
    assert status_of(kind("why")) is grpc.StatusCode.INVALID_ARGUMENT
    assert retry_metadata(kind("why")) == ()


@pytest.mark.parametrize("kind", leaves(ModelError))
def test_our_fault_is_unavailable_and_says_when_to_try_again(kind: type[RaptError]) -> None:
    assert status_of(kind("why")) is grpc.StatusCode.UNAVAILABLE
    assert retry_metadata(kind("why")) == (
        ("retry-after", "10"),
        ("grpc-retry-pushback-ms", "10000"),
    )


def test_too_much_is_exhausted_and_says_when_to_try_again() -> None:
    error = Overloaded("full", 1.2)
    assert status_of(error) is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert retry_metadata(error) == (("retry-after", "2"), ("grpc-retry-pushback-ms", "2000"))


def test_too_late_is_deadline_exceeded() -> None:
    assert status_of(DeadlineExceeded("late")) is grpc.StatusCode.DEADLINE_EXCEEDED
    assert retry_metadata(DeadlineExceeded("late")) == ()
