import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emotion.errors import InvalidRequest
from service.grpc.frames import check_frame
from tests.service.grpc.client import asking

TOO_MUCH = "more than 65,536 bytes beside its photos"
BROKEN = "is no ModelInferRequest"
LARGE = bytes(200_000)


def lengthy(number: int, content: bytes) -> bytes:
    """A field of bytes, text or a message."""
    length, digits = len(content), b""
    while length > 127:
        digits += bytes([length & 127 | 128])
        length >>= 7
    return bytes([number << 3 | 2]) + digits + bytes([length]) + content


def test_photos_may_be_large_in_either_form() -> None:
    check_frame(asking(LARGE, LARGE).SerializeToString())
    contents = {"bytes_contents": [LARGE, LARGE]}
    tensor = {"name": "image", "datatype": "BYTES", "shape": [2], "contents": contents}
    check_frame(asking(inputs=[tensor], raw_input_contents=[]).SerializeToString())


def test_nothing_at_all_is_left_to_the_parser() -> None:
    check_frame(b"")


@pytest.mark.parametrize(
    "content",
    [
        lengthy(1, LARGE),  # the model's name
        lengthy(3, LARGE),  # the request's id
        lengthy(4, LARGE),  # its parameters
        lengthy(15, LARGE),  # a field that nobody knows
        lengthy(5, lengthy(1, LARGE)),  # the tensor's name
        lengthy(5, lengthy(3, LARGE)),  # its shape
        lengthy(5, lengthy(5, lengthy(2, LARGE))),  # numbers among its contents
        lengthy(5, b"") * 100_000,  # empty tensors
        lengthy(6, b"") * 100_000,  # empty outputs
        lengthy(7, b"") * 100_000,  # empty contents
        lengthy(5, lengthy(5, lengthy(8, b"") * 100_000)),  # empty elements
        b"\x78\x01" * 100_000,  # numbers that nobody knows
        b"\x79" + bytes(8) + LARGE,  # the same, fixed
    ],
)
def test_anything_else_may_not_be_large(content: bytes) -> None:
    with pytest.raises(InvalidRequest, match=f"{TOO_MUCH}|{BROKEN}"):
        check_frame(content)


def test_a_message_of_64_mib_of_empty_tensors_is_refused_soon() -> None:
    content = lengthy(5, b"") * (32 * 2**20)
    began = time.perf_counter()
    with pytest.raises(InvalidRequest, match=TOO_MUCH):
        check_frame(content)
    assert time.perf_counter() - began < 1


@pytest.mark.parametrize(
    "content",
    [
        b"\x3a",  # no length
        b"\x3a\x05abcd",  # a length past the end
        b"\x3a\xff\xff\xff\xff\xff\xff\xff\xff\x7f",  # a length of 2**63
        b"\x3a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",  # a number without an end
        b"\x2a\x03\x2a\x09\x42",  # a message inside that is longer than the one around it
        b"\x0b",  # a group
        b"\x0f",  # a kind that there isn't
        b"\x79\x00",  # eight bytes that are one
        b"\x80",  # half a tag
    ],
)
def test_a_message_that_is_not_whole_is_told(content: bytes) -> None:
    with pytest.raises(InvalidRequest, match=BROKEN):
        check_frame(content)


@given(st.binary(max_size=60))
def test_whatever_comes_passes_or_is_told(content: bytes) -> None:
    with suppress(InvalidRequest):
        check_frame(content)
