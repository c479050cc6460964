import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emotion.errors import InvalidRequest
from service.open_inference.contract import BOXES, IMAGE_INDEX, LABELS
from service.open_inference.tensors import Tensor, pack, unpack


def test_numbers_are_little_endian_and_row_major() -> None:
    tensor = Tensor(BOXES, np.array([[1, 2, 3, 4], [5, 6, 7, 8]], dtype=np.float32))
    assert tensor.shape == [2, 4]
    assert tensor.to_bytes() == struct.pack("<8f", 1, 2, 3, 4, 5, 6, 7, 8)
    assert tensor.to_list() == [1, 2, 3, 4, 5, 6, 7, 8]


def test_big_endian_numbers_are_turned() -> None:
    tensor = Tensor(IMAGE_INDEX, np.array([1, 258], dtype=">i4"))
    assert tensor.to_bytes() == struct.pack("<2i", 1, 258)


def test_each_text_follows_its_length() -> None:
    tensor = Tensor(LABELS, ("sad", "happy"))
    assert tensor.shape == [2]
    assert tensor.to_bytes() == b"\x03\0\0\0sad\x05\0\0\0happy"
    assert tensor.to_list() == ["sad", "happy"]


@pytest.mark.parametrize(
    ("tensor", "shape"),
    [(Tensor(BOXES, np.empty((0, 4), dtype=np.float32)), [0, 4]), (Tensor(LABELS, ()), [0])],
)
def test_no_rows_are_no_bytes(tensor: Tensor, shape: list[int]) -> None:
    assert (tensor.shape, tensor.to_bytes(), tensor.to_list()) == (shape, b"", [])


@given(st.lists(st.binary(max_size=20), max_size=5))
def test_what_is_packed_is_unpacked(elements: list[bytes]) -> None:
    assert unpack(memoryview(pack(elements)), len(elements)) == elements


@pytest.mark.parametrize(
    ("content", "count", "message"),
    [
        (b"", 1, "ends before the length of element 0"),
        (b"\x01\0\0\0a\x01\0\0", 2, "ends before the length of element 1"),
        (b"\x02\0\0\0a", 1, "Element 0 is said to have 2 bytes, and 1 are left"),
        (b"\xff\xff\xff\xffa", 1, "said to have 4,294,967,295 bytes, and 1 are left"),
        (b"\x01\0\0\0ab", 1, "1 bytes of the content are left after its 1 elements"),
        (b"\0\0\0\0" * 9, 1, "32 bytes of the content are left"),
    ],
)
def test_lengths_that_lie_are_told(content: bytes, count: int, message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        unpack(memoryview(content), count)


@given(st.binary(max_size=40), st.integers(0, 5))
def test_whatever_comes_is_read_or_told(content: bytes, count: int) -> None:
    try:
        elements = unpack(memoryview(content), count)
    except InvalidRequest:
        return
    assert pack(elements) == content
