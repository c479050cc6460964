import pickle

import pytest

from emotion.errors import (
    CapacityError,
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

LEAVES = {
    InputError: (
        UnsupportedImage,
        UndecodableImage,
        ImageTooLarge,
        UnsupportedVideo,
        UndecodableVideo,
        VideoTooLarge,
        VideoTooLong,
        UnsupportedPhotoSet,
        UndecodablePhotoSet,
        PhotoSetTooLarge,
        InvalidRequest,
    ),
    CapacityError: (Overloaded, DeadlineExceeded, Stopped),
    ModelError: (ModelUnavailable, ContractMismatch),
}
ALL = [leaf for leaves in LEAVES.values() for leaf in leaves]


def test_every_error_is_somebodys_fault() -> None:
    assert set(RaptError.__subclasses__()) == set(LEAVES)
    for fault, leaves in LEAVES.items():
        # The service has finer ones of its own.
        ours = {leaf for leaf in fault.__subclasses__() if leaf.__module__ == fault.__module__}
        assert ours == set(leaves)


@pytest.mark.parametrize("kind", ALL)
def test_error_crosses_a_process_boundary_whole(kind: type[RaptError]) -> None:
    error = pickle.loads(pickle.dumps(kind("Send less.")))  # noqa: S301  # made on this line
    assert type(error) is kind
    assert error.message == str(error) == "Send less."


def test_time_to_retry_crosses_a_process_boundary() -> None:
    error = pickle.loads(pickle.dumps(Overloaded("full", retry_after=2.5)))  # noqa: S301  # ditto
    assert (error.message, error.retry_after) == ("full", 2.5)


def test_retrying_makes_sense_after_a_second() -> None:
    assert Overloaded("full").retry_after == 1.0
