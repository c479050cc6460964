"""The bodies of the Open Inference Protocol over HTTP: JSON, and tensors as bytes after it.

With the binary extension, the header ``Inference-Header-Content-Length`` says how long the JSON
is, and ``binary_data_size`` among a tensor's parameters how many of the bytes after it are its.
"""

import base64
import binascii
import json
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.datastructures import Headers
from starlette.responses import Response

from emotion.errors import InvalidRequest
from service.open_inference.answers import Answer
from service.open_inference.contract import IMAGE, MODEL, TensorSpec
from service.open_inference.questions import (
    Question,
    check_count,
    choose_outputs,
    count_photos,
    only_input,
)
from service.open_inference.tensors import Tensor, unpack

JSON_LENGTH = "Inference-Header-Content-Length"
_SIZE = "binary_data_size"
# A value of JSON takes up to fifty times its bytes in memory; a request has few, however large.
_MOST_COMMAS = 4096
_SHOWN = 200  # Characters of what is wrong with JSON that a message repeats.

Parameters = dict[str, Any]


class _Body(BaseModel):
    model_config = ConfigDict(strict=True)


class InputBody(_Body):
    """One input tensor."""

    name: str
    datatype: str
    shape: list[int]
    parameters: Parameters = Field(default_factory=dict)
    data: list[str] | None = None


class OutputBody(_Body):
    """One output that is asked for."""

    name: str
    parameters: Parameters = Field(default_factory=dict)


class InferBody(_Body):
    """The JSON of a request."""

    id: str | None = None
    parameters: Parameters = Field(default_factory=dict)
    inputs: list[InputBody]
    outputs: list[OutputBody] = Field(default_factory=list)

    @property
    def binary_outputs(self) -> set[str]:
        """Names of the outputs that are answered as bytes; of all, where none is asked for."""
        default = self.parameters.get("binary_data_output") is True
        if not self.outputs:
            return {spec.name for spec in choose_outputs([])} if default else set()
        return {
            one.name for one in self.outputs if one.parameters.get("binary_data", default) is True
        }


def read_request(
    body: bytes, headers: Headers, version: str, max_photos: int
) -> tuple[InferBody, Question]:
    """Read a request's body.

    Args:
        body: all of it.
        headers: the request's.
        version: of the model, from the path, or empty.
        max_photos: the most that are accepted.

    Returns:
        Its JSON, and the question in it.

    Raises:
        InvalidRequest: it is not one that the model can be asked.
    """
    length = _json_length(headers, len(body))
    request = _parse(body[:length])
    tensor = only_input(request.inputs)
    spec = TensorSpec(tensor.name, tensor.datatype, tuple(tensor.shape))
    count = count_photos(spec, tensor.parameters, max_photos)
    photos = _photos(tensor, memoryview(body)[length:], count)
    outputs = choose_outputs([(one.name, one.parameters) for one in request.outputs])
    return request, Question(photos, outputs, version)


def answer_response(request: InferBody, answer: Answer) -> Response:
    """Return the response to a request; each output in the form that it asks for."""
    binary = request.binary_outputs
    contents = {
        tensor.spec.name: tensor.to_bytes()
        for tensor in answer.tensors
        if tensor.spec.name in binary
    }
    outputs = [_output(tensor, contents.get(tensor.spec.name)) for tensor in answer.tensors]
    said_id = {} if request.id is None else {"id": request.id}
    body = {"model_name": MODEL, "model_version": answer.version, **said_id, "outputs": outputs}
    header = json.dumps(body).encode()
    if not contents:
        return Response(header, media_type="application/json")
    return Response(
        b"".join([header, *contents.values()]),
        media_type="application/octet-stream",
        headers={JSON_LENGTH: str(len(header))},
    )


def _json_length(headers: Headers, size: int) -> int:
    """Return how many bytes of the body are JSON."""
    if headers.get("content-encoding", "identity") != "identity":
        raise InvalidRequest("Compressed bodies are not read: photos are compressed already.")
    said = headers.get(JSON_LENGTH)
    if said is None:
        return size
    if not (said.isascii() and said.isdigit() and len(said) <= len(str(size))):
        raise InvalidRequest(f"{JSON_LENGTH} is no length within the {size:,} bytes of the body.")
    if int(said) > size:
        raise InvalidRequest(f"{JSON_LENGTH} is {said}, and the body has {size:,} bytes.")
    return int(said)


def _parse(content: bytes) -> InferBody:
    if content.count(b",") > _MOST_COMMAS:
        raise InvalidRequest(f"The JSON has more than {_MOST_COMMAS} values; no request has.")
    try:
        return InferBody.model_validate_json(content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(map(str, first["loc"]))
        what = f"{place}: {first['msg']}" if place else first["msg"]
        raise InvalidRequest(f"The JSON is no inference request: {what[:_SHOWN]}") from error


def _photos(tensor: InputBody, binary: memoryview, count: int) -> list[bytes]:
    size = tensor.parameters.get(_SIZE)
    if size is None:
        if len(binary) > 0:
            raise InvalidRequest(f"{len(binary):,} bytes after the JSON belong to no tensor.")
        return _photos_of_json(tensor.data, count)
    if tensor.data is not None:
        raise InvalidRequest(f"{IMAGE.name!r} has both data and {_SIZE}; one of them is enough.")
    if type(size) is not int or size != len(binary):
        raise InvalidRequest(
            f"{_SIZE} of {IMAGE.name!r} has to be the {len(binary):,} bytes after the JSON."
        )
    return unpack(binary, count)


def _photos_of_json(data: list[str] | None, count: int) -> list[bytes]:
    """Return photos from JSON, which has no bytes: there they are texts in base64."""
    if data is None:
        raise InvalidRequest(
            f"{IMAGE.name!r} has no data. Send base64 in the JSON, or bytes after it with {_SIZE}."
        )
    check_count(data, count)
    try:
        return [base64.b64decode(text, validate=True) for text in data]
    except (binascii.Error, ValueError) as error:
        raise InvalidRequest(
            f"In JSON the elements of {IMAGE.name!r} are photos in base64: {error}."
        ) from error


def _output(tensor: Tensor, content: bytes | None) -> dict[str, Any]:
    facts = {**tensor.spec.facts, "shape": tensor.shape}
    if content is None:
        return {**facts, "data": tensor.to_list()}
    return {**facts, "parameters": {_SIZE: len(content)}}
