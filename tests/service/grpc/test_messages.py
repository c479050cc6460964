from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emotion.errors import InvalidRequest
from service.grpc.messages import read_request, write_answer
from service.open_inference.answers import Answer
from service.open_inference.contract import BOXES, LABELS, OUTPUTS
from service.open_inference.questions import Question
from service.open_inference.tensors import Tensor, pack
from tests.service.grpc.client import asking

INPUT = {"name": "image", "datatype": "BYTES", "shape": [1]}


def read(*photos: bytes, **more: Any) -> Question:  # noqa: ANN401  # any field
    return read_request(asking(*photos, **more).SerializeToString(), max_photos=3)[1]


def with_input(**more: Any) -> dict[str, Any]:  # noqa: ANN401  # any field
    return {"inputs": [{**INPUT, **more}]}


def with_contents(**more: Any) -> dict[str, Any]:  # noqa: ANN401  # any field
    return {**with_input(contents=more), "raw_input_contents": []}


def test_photos_are_read_from_raw_contents() -> None:
    question = read(b"\xff\xd8one", b"two")
    assert question.photos == [b"\xff\xd8one", b"two"]
    assert (question.outputs, question.version) == (OUTPUTS, "")


def test_photos_are_read_from_contents() -> None:
    assert read(**with_contents(bytes_contents=[b"one"])).photos == [b"one"]


def test_id_version_and_outputs_are_read() -> None:
    message = asking(b"one", id="r1", model_version="v7", outputs=[{"name": "labels"}])
    request_id, question = read_request(message.SerializeToString(), max_photos=3)
    assert (request_id, question.version, question.outputs) == ("r1", "v7", (LABELS,))


def test_parameters_that_change_nothing_are_passed_over() -> None:
    assert read(b"one", parameters={"timeout": {"int64_param": 5}}).photos == [b"one"]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"model_name": "mood"}, "no model 'mood'"),
        ({"inputs": []}, "0 were given"),
        ({"inputs": [INPUT, INPUT]}, "2 were given"),
        (with_input(name="photo"), "no input 'photo'"),
        (with_input(datatype="UINT8"), "not 'UINT8'"),
        (with_input(shape=[]), "one number; 0"),
        (with_input(shape=[1, 1]), "one number; 2"),
        (with_input(shape=[0]), "1 to 3 photos here, not 0"),
        (with_input(shape=[-1]), "1 to 3 photos here, not -1"),
        (with_input(shape=[4]), "1 to 3 photos here, not 4"),
        (with_input(shape=[2**62]), "1 to 3 photos here, not 4611686018427387904"),
        (with_input(shape=[2]), "ends before the length of element 1"),
        (with_input(parameters={"shared_memory_region": {"string_param": "a"}}), "Shared memory"),
        ({"outputs": [{"name": "mood"}]}, "no output 'mood'"),
        ({"outputs": [{"name": "boxes"}] * 2}, "asked for twice"),
        (
            {"outputs": [{"name": "labels", "parameters": {"classification": {"int64_param": 1}}}]},
            "Classes are not offered",
        ),
        ({"raw_input_contents": [b""]}, "ends before the length of element 0"),
        ({"raw_input_contents": [b"\xff\xff\xff\xffa"]}, "said to have 4,294,967,295 bytes"),
        ({"raw_input_contents": [pack([b"a", b"b"])]}, "5 bytes of the content are left"),
        ({"raw_input_contents": [pack([b"a"])] * 2}, "in one element"),
        (with_input(contents={"bytes_contents": [b"a"]}), "either in raw_input_contents"),
        (with_input(contents={"int_contents": [1]}), "either in raw_input_contents"),
        (with_contents(), "says 1 photos; 0 were given"),
        (with_contents(fp32_contents=[1.0]), "says 1 photos; 0 were given"),
        (with_contents(bytes_contents=[b"a", b"b"]), "says 1 photos; 2 were given"),
    ],
)
def test_what_the_model_does_not_take_is_told(more: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidRequest, match=message) as failure:
        read(b"one", **more)
    assert len(failure.value.message) < 300


@given(st.binary(max_size=60))
def test_bytes_that_are_no_message_are_told(content: bytes) -> None:
    with pytest.raises(InvalidRequest):
        read_request(content, max_photos=3)


def test_a_text_that_is_none_is_told() -> None:
    with pytest.raises(InvalidRequest, match="The message is no ModelInferRequest"):
        read_request(b"\x0a\x02\xff\xfe", max_photos=3)


def test_an_answer_has_its_tensors_raw() -> None:
    boxes = Tensor(BOXES, np.array([[1, 2, 3, 4], [5, 6, 7, 8]], dtype=np.float32))
    message = write_answer("r1", Answer("v7", (boxes, Tensor(LABELS, ("sad", "happy")))))
    assert (message.model_name, message.model_version, message.id) == ("emotion", "v7", "r1")
    assert [(one.name, one.datatype, list(one.shape)) for one in message.outputs] == [
        ("boxes", "FP32", [2, 4]),
        ("labels", "BYTES", [2]),
    ]
    assert list(message.raw_output_contents) == [
        np.array([1, 2, 3, 4, 5, 6, 7, 8], dtype=np.float32).tobytes(),
        pack([b"sad", b"happy"]),
    ]
