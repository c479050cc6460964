"""Looks at a serialised ``ModelInferRequest`` before it is parsed.

A parsed message takes up to 44 times its bytes: an empty tensor has two bytes on the wire, and
64 MiB of them came to 2.8 GB and 2.4 s of parsing. So all that is no photo may have so many bytes
that parsing it costs nothing worth mention.
"""

from collections.abc import Mapping

from tritonclient.grpc import service_pb2

from emotion.errors import InvalidRequest
from service.photo_settings import MOST_FRAMING

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5  # Wire types; the others are long out of use.
_FIXED = {_FIXED64: 8, _FIXED32: 4}
_LONGEST_VARINT = 10

# The fields that hold photos, by their numbers: of the request, of a tensor, of its contents. A
# photo's field has no fields in it.
_Fields = Mapping[int, "_Fields | None"]
_CONTENTS: _Fields = {service_pb2.InferTensorContents.BYTES_CONTENTS_FIELD_NUMBER: None}
_TENSOR: _Fields = {service_pb2.ModelInferRequest.InferInputTensor.CONTENTS_FIELD_NUMBER: _CONTENTS}
_REQUEST: _Fields = {
    service_pb2.ModelInferRequest.INPUTS_FIELD_NUMBER: _TENSOR,
    service_pb2.ModelInferRequest.RAW_INPUT_CONTENTS_FIELD_NUMBER: None,
}


def check_frame(content: bytes) -> None:
    """Pass if a message is small but for its photos, and whole as far as can be seen here.

    Raises:
        InvalidRequest: it is not.
    """
    _Walk(content).over(0, len(content), _REQUEST)


class _Walk:
    def __init__(self, content: bytes) -> None:
        self._content = content
        self._left = MOST_FRAMING

    def over(self, start: int, end: int, fields: _Fields) -> None:
        """Walk over the fields of a message that lies between two places."""
        while start < end:
            tag, place = self._varint(start, end)
            number, kind = tag >> 3, tag & 7
            if kind == _BYTES:
                length, place = self._varint(place, end)
                after = place + length
                if number in fields:
                    inner = fields[number]
                    if inner is not None and after <= end:
                        self.over(place, after, inner)
                else:
                    place = after
            elif kind == _VARINT:
                _, place = self._varint(place, end)
                after = place
            elif kind in _FIXED:
                after = place = place + _FIXED[kind]
            else:
                raise _broken()
            if after > end:
                raise _broken()
            self._spend(place - start)
            start = after

    def _varint(self, start: int, end: int) -> tuple[int, int]:
        """Return a number, and the place after it."""
        value = 0
        for index in range(min(_LONGEST_VARINT, end - start)):
            byte = self._content[start + index]
            value |= (byte & 0x7F) << (7 * index)
            if byte < 0x80:  # noqa: PLR2004  # the bit that says that more follow
                return value, start + index + 1
        raise _broken()

    def _spend(self, count: int) -> None:
        self._left -= count
        if self._left < 0:
            raise InvalidRequest(
                f"The message has more than {MOST_FRAMING:,} bytes beside its photos; no request "
                "has."
            )


def _broken() -> InvalidRequest:
    return InvalidRequest("The message is no ModelInferRequest.")
