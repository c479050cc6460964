"""Values of tensors, as the protocol's bytes and lists, and back.

Numbers are little-endian and row-major; each element of BYTES follows its length, four bytes,
little-endian.
"""

import struct
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from emotion.errors import InvalidRequest
from service.open_inference.contract import TensorSpec

_LENGTH = struct.Struct("<I")
_LITTLE_ENDIAN = {"FP32": "<f4", "INT32": "<i4"}

Values = npt.NDArray[np.float32] | npt.NDArray[np.int32] | tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Tensor:
    """One output tensor.

    Attributes:
        spec: its name and datatype, and its shape but for the rows.
        values: [rows, ...] as in ``spec``; a tuple of texts where the datatype is BYTES.
    """

    spec: TensorSpec
    values: Values

    @property
    def shape(self) -> list[int]:
        """Rows first."""
        return [len(self.values), *self.spec.shape[1:]]

    def to_bytes(self) -> bytes:
        """Return the values as the binary extension has them."""
        if isinstance(self.values, tuple):
            return pack(text.encode() for text in self.values)
        return self.values.astype(_LITTLE_ENDIAN[self.spec.datatype], copy=False).tobytes()

    def to_list(self) -> list[float] | list[int] | list[str]:
        """Return the values as JSON has them: flat."""
        if isinstance(self.values, tuple):
            return list(self.values)
        values: list[float] | list[int] = self.values.ravel().tolist()
        return values


def pack(elements: Iterable[bytes]) -> bytes:
    """Return the elements of a BYTES tensor, each after its length."""
    return b"".join(part for one in elements for part in (_LENGTH.pack(len(one)), one))


def unpack(content: memoryview, count: int) -> list[bytes]:
    """Return the elements of a BYTES tensor of known size.

    Raises:
        InvalidRequest: the lengths in the content are not those of ``count`` elements.
    """
    elements = []
    start = 0
    for index in range(count):
        if len(content) - start < _LENGTH.size:
            raise InvalidRequest(
                f"The content of {count} elements ends before the length of element {index}."
            )
        (length,) = _LENGTH.unpack_from(content, start)
        start += _LENGTH.size
        if length > len(content) - start:
            raise InvalidRequest(
                f"Element {index} is said to have {length:,} bytes, and "
                f"{len(content) - start:,} are left of the content."
            )
        elements.append(bytes(content[start : start + length]))
        start += length
    if start < len(content):
        raise InvalidRequest(
            f"{len(content) - start:,} bytes of the content are left after its {count} elements."
        )
    return elements
