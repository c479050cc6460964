"""The protocol's messages: to a question, and from an answer."""

from google.protobuf.message import DecodeError
from tritonclient.grpc import service_pb2

from emotion.errors import InvalidRequest
from service.grpc.frames import check_frame
from service.open_inference.answers import Answer
from service.open_inference.contract import IMAGE, MODEL, TensorSpec
from service.open_inference.questions import (
    Question,
    check_count,
    check_model,
    choose_outputs,
    count_photos,
    only_input,
)
from service.open_inference.tensors import unpack


def read_request(content: bytes, max_photos: int) -> tuple[str, Question]:
    """Read a serialised ``ModelInferRequest``.

    Returns:
        Its id, and the question in it.

    Raises:
        InvalidRequest: it is not one that the model can be asked.
    """
    check_frame(content)
    try:
        request = service_pb2.ModelInferRequest.FromString(content)
    except DecodeError as error:
        raise InvalidRequest("The message is no ModelInferRequest.") from error
    check_model(request.model_name)
    tensor = only_input(request.inputs)
    spec = TensorSpec(tensor.name, tensor.datatype, tuple(tensor.shape))
    count = count_photos(spec, tensor.parameters, max_photos)
    photos = _photos(request, count)
    outputs = choose_outputs([(one.name, one.parameters) for one in request.outputs])
    return request.id, Question(photos, outputs, request.model_version)


def write_answer(request_id: str, answer: Answer) -> service_pb2.ModelInferResponse:
    """Return the response; tensors are raw, as the protocol wants them to be where they can."""
    return service_pb2.ModelInferResponse(
        model_name=MODEL,
        model_version=answer.version,
        id=request_id,
        outputs=[
            {**tensor.spec.facts, "shape": tensor.shape}  # as the generated class takes it
            for tensor in answer.tensors
        ],
        raw_output_contents=[tensor.to_bytes() for tensor in answer.tensors],
    )


def _photos(request: service_pb2.ModelInferRequest, count: int) -> list[bytes]:
    raw, contents = request.raw_input_contents, request.inputs[0].contents
    if not raw:
        check_count(contents.bytes_contents, count)
        return list(contents.bytes_contents)
    if len(raw) != 1 or contents.ByteSize():
        raise InvalidRequest(
            f"{IMAGE.name!r} has its photos either in raw_input_contents, in one element, or in "
            "its contents."
        )
    return unpack(memoryview(raw[0]), count)
