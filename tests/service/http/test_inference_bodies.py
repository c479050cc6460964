import base64
import json
from typing import Any

import numpy as np
import pytest
from starlette.datastructures import Headers

from emotion.errors import InvalidRequest
from service.http.inference_bodies import JSON_LENGTH, answer_response, read_request
from service.open_inference.answers import Answer
from service.open_inference.contract import LABELS, OUTPUTS, SCORES
from service.open_inference.questions import Question
from service.open_inference.tensors import Tensor, pack

MAX_PHOTOS = 3
ANSWER = Answer(
    "v7",
    (Tensor(SCORES, np.array([0.5, 0.25], dtype=np.float32)), Tensor(LABELS, ("sad", "happy"))),
)


def body_of(*inputs: dict[str, Any], **more: Any) -> bytes:  # noqa: ANN401  # any JSON
    return json.dumps({"inputs": inputs, **more}).encode()


def image(*photos: bytes, **more: Any) -> dict[str, Any]:  # noqa: ANN401  # any JSON
    data = [base64.b64encode(photo).decode() for photo in photos]
    return {"name": "image", "datatype": "BYTES", "shape": [len(photos)], "data": data, **more}


def binary(size: int, photos: int = 1) -> dict[str, Any]:
    parameters = {"binary_data_size": size}
    return {"name": "image", "datatype": "BYTES", "shape": [photos], "parameters": parameters}


def read(body: bytes, **headers: str) -> Question:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return read_request(body, Headers(named), "", MAX_PHOTOS)[1]


def read_binary(header: bytes, content: bytes) -> Question:
    return read_request(header + content, Headers({JSON_LENGTH: str(len(header))}), "", 3)[1]


def test_photos_in_json_are_base64() -> None:
    question = read(body_of(image(b"\xff\xd8one", b"two")))
    assert question.photos == [b"\xff\xd8one", b"two"]
    assert question.outputs == OUTPUTS


def test_photos_may_follow_the_json_as_bytes() -> None:
    content = pack([b"\xff\xd8one", b"two"])
    question = read_binary(body_of(binary(len(content), photos=2)), content)
    assert question.photos == [b"\xff\xd8one", b"two"]


def test_the_header_may_say_that_all_of_it_is_json() -> None:
    body = body_of(image(b"one"))
    assert read_binary(body, b"").photos == [b"one"]


def test_id_version_and_outputs_are_read() -> None:
    body = body_of(image(b"one"), id="r1", outputs=[{"name": "labels"}])
    request, question = read_request(body, Headers(), "v7", MAX_PHOTOS)
    assert (request.id, question.version, question.outputs) == ("r1", "v7", (LABELS,))


def test_what_the_protocol_may_add_is_passed_over() -> None:
    body = body_of(image(b"one", parameters={"content_type": "base64"}), parameters={"timeout": 5})
    assert read(body).photos == [b"one"]


@pytest.mark.parametrize("length", ["-1", "1.5", "", "x", "99999", "9" * 5000, "0x5"])
def test_a_json_length_that_lies_is_told(length: str) -> None:
    with pytest.raises(InvalidRequest, match=f"^{JSON_LENGTH} is"):
        read(body_of(image(b"one")), inference_header_content_length=length)


def test_a_json_length_that_cuts_the_json_is_told() -> None:
    with pytest.raises(InvalidRequest, match="no inference request: Invalid JSON: EOF"):
        read(body_of(image(b"one")), inference_header_content_length="10")


@pytest.mark.parametrize("size", [0, 6, 8, -7, 2**70, 7.0, True, "7", [7]])
def test_a_binary_size_that_lies_is_told(size: object) -> None:
    header = body_of({**binary(7), "parameters": {"binary_data_size": size}})
    with pytest.raises(InvalidRequest, match="has to be the 7 bytes after the JSON"):
        read_binary(header, pack([b"one"]))


def test_bytes_that_belong_to_no_tensor_are_told() -> None:
    with pytest.raises(InvalidRequest, match="7 bytes after the JSON belong to no tensor"):
        read_binary(body_of(image(b"one")), pack([b"one"]))


def test_photos_in_both_places_are_told() -> None:
    with pytest.raises(InvalidRequest, match="both data and binary_data_size"):
        read_binary(body_of({**binary(7), "data": ["b25l"]}), pack([b"one"]))


def test_an_input_without_photos_is_told() -> None:
    tensor = {"name": "image", "datatype": "BYTES", "shape": [1]}
    with pytest.raises(InvalidRequest, match="'image' has no data"):
        read(body_of(tensor))


@pytest.mark.parametrize("text", ["b", "@@@@", "b25l!", "é"])
def test_what_is_no_base64_is_told(text: str) -> None:
    with pytest.raises(InvalidRequest, match="'image' are photos in base64"):
        read(body_of({**image(b""), "data": [text]}))


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "Invalid JSON: EOF"),
        (b"\xff\xd8\xff", "Invalid JSON"),
        (b"[]", "should be an object"),
        (b"{}", "inputs: Field required"),
        (b'{"inputs": {}}', "inputs: Input should be a valid array"),
        (b'{"inputs": [1]}', r"inputs\.0: "),
        (body_of({"name": "image"}), r"inputs\.0\.datatype: Field required"),
        (body_of(image(b"a", name=7)), r"inputs\.0\.name: "),
        (body_of(image(b"a", shape="1")), r"inputs\.0\.shape: "),
        (body_of(image(b"a", shape=[1.0])), r"inputs\.0\.shape\.0: "),
        (body_of(image(b"a", shape=[True])), r"inputs\.0\.shape\.0: "),
        (body_of(image(b"a", data=[[1]])), r"inputs\.0\.data\.0: "),
        (body_of(image(b"a"), id=7), "id: Input should be a valid string"),
        (body_of(image(b"a"), outputs=[{}]), r"outputs\.0\.name: Field required"),
        (body_of(image(b"a"), parameters=[]), "parameters: "),
        (b"[" * 100_000, "Invalid JSON: recursion limit"),
        (b'{"inputs": [{"shape": [' + b"9" * 5000 + b"]}]}", "number out of range"),
    ],
)
def test_json_that_is_no_request_is_told(body: bytes, message: str) -> None:
    with pytest.raises(InvalidRequest, match=message) as failure:
        read(body)
    assert len(failure.value.message) < 300


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (body_of(), "0 were given"),
        (body_of(image(b"a"), image(b"a")), "2 were given"),
        (body_of(image(b"a", name="photo")), "no input 'photo'"),
        (body_of(image(b"a", datatype="FP32")), "not 'FP32'"),
        (body_of(image(b"a", shape=[1, 1])), "one number; 2"),
        (body_of(image(b"a", shape=[2])), "says 2 photos; 1 were given"),
        (body_of(image(*[b"a"] * 4)), "1 to 3 photos here, not 4"),
        (body_of(image(b"a", shape=[10**4000])), "1 to 3 photos here, not 10000"),
        (body_of(image(b"a"), outputs=[{"name": "mood"}]), "no output 'mood'"),
    ],
)
def test_what_the_model_does_not_take_is_told(body: bytes, message: str) -> None:
    with pytest.raises(InvalidRequest, match=message) as failure:
        read(body)
    assert len(failure.value.message) < 300


def test_more_values_than_any_request_has_are_not_parsed() -> None:
    with pytest.raises(InvalidRequest, match="more than 4096 values"):
        read(b"[" + b"[]," * 5000 + b"[]]")


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br"])
def test_compressed_bodies_are_told(coding: str) -> None:
    with pytest.raises(InvalidRequest, match="Compressed bodies are not read"):
        read(body_of(image(b"a")), content_encoding=coding)


def respond(**more: Any) -> tuple[dict[str, Any], bytes, str]:  # noqa: ANN401  # any JSON
    """What the answer to such a request is: its JSON, the bytes after it, and its type."""
    request, _ = read_request(body_of(image(b"a"), **more), Headers(), "", MAX_PHOTOS)
    response = answer_response(request, ANSWER)
    content = bytes(response.body)
    length = int(response.headers.get(JSON_LENGTH, len(content)))
    return json.loads(content[:length]), content[length:], response.headers["content-type"]


def test_an_answer_is_json() -> None:
    assert respond(id="r1") == (
        {
            "model_name": "emotion",
            "model_version": "v7",
            "id": "r1",
            "outputs": [
                {"name": "scores", "datatype": "FP32", "shape": [2], "data": [0.5, 0.25]},
                {"name": "labels", "datatype": "BYTES", "shape": [2], "data": ["sad", "happy"]},
            ],
        },
        b"",
        "application/json",
    )


def test_an_answer_has_no_id_where_none_was_given() -> None:
    assert "id" not in respond()[0]


def test_an_answer_may_have_all_outputs_as_bytes() -> None:
    body, content, kind = respond(parameters={"binary_data_output": True})
    assert [output["parameters"] for output in body["outputs"]] == [
        {"binary_data_size": 8},
        {"binary_data_size": 16},
    ]
    assert not any("data" in output for output in body["outputs"])
    assert content == np.array([0.5, 0.25], dtype=np.float32).tobytes() + pack([b"sad", b"happy"])
    assert kind == "application/octet-stream"


def test_an_answer_may_have_one_output_as_bytes() -> None:
    asked = [{"name": "scores"}, {"name": "labels", "parameters": {"binary_data": True}}]
    body, content, _ = respond(outputs=asked)
    assert body["outputs"][0]["data"] == [0.5, 0.25]
    assert body["outputs"][1]["parameters"] == {"binary_data_size": 16}
    assert content == pack([b"sad", b"happy"])


def test_an_outputs_own_word_counts_more_than_the_requests() -> None:
    asked = [{"name": "scores"}, {"name": "labels", "parameters": {"binary_data": False}}]
    body, content, _ = respond(outputs=asked, parameters={"binary_data_output": True})
    assert body["outputs"][1]["data"] == ["sad", "happy"]
    assert content == np.array([0.5, 0.25], dtype=np.float32).tobytes()
