import json

import pytest
from tritonclient.grpc import service_pb2

from loadtests.answers import (
    is_batch_of_one_face_each,
    is_inference_of_one_face,
    is_one_face,
    is_report_of_faces,
    state_of,
)

OTHERS = [b"", b"{}", b"[]", b"null", b"<html></html>", b'{"faces": 1}', b'{"results": [{}]}']


def batch_of(*faces: int) -> bytes:
    return json.dumps({"results": [{"faces": [{}] * count} for count in faces]}).encode()


def inference(*rows: int) -> bytes:
    outputs = [{"name": "boxes", "shape": [count, 4]} for count in rows]
    message: bytes = service_pb2.ModelInferResponse(outputs=outputs).SerializeToString()
    return message


@pytest.mark.parametrize("content", OTHERS)
def test_content_of_another_form_is_no_right_answer(content: bytes) -> None:
    checks = (is_one_face, is_batch_of_one_face_each, is_report_of_faces, state_of)
    assert [check(content) for check in checks] == [False, False, False, None]


@pytest.mark.parametrize(("faces", "is_right"), [(0, False), (1, True), (2, False)])
def test_a_photo_of_one_face_is_right_with_one(faces: int, is_right: bool) -> None:  # noqa: FBT001
    assert is_one_face(json.dumps({"faces": [{}] * faces, "model": "x"}).encode()) is is_right


@pytest.mark.parametrize(
    ("faces", "is_right"), [((1, 1, 1, 1), True), ((1, 1, 1), False), ((1, 1, 0, 2), False)]
)
def test_a_batch_is_right_with_one_face_each(faces: tuple[int, ...], is_right: bool) -> None:  # noqa: FBT001
    assert is_batch_of_one_face_each(batch_of(*faces)) is is_right


@pytest.mark.parametrize(
    ("content", "is_right"), [(b'{"faces": []}', False), (b'{"faces": [{}]}', True)]
)
def test_a_report_is_right_with_faces(content: bytes, is_right: bool) -> None:  # noqa: FBT001
    assert is_report_of_faces(content) is is_right


@pytest.mark.parametrize(
    ("content", "state"), [(b'{"state": "done", "id": 1}', "done"), (b'{"state": "well"}', None)]
)
def test_a_job_tells_one_of_the_states_that_there_are(content: bytes, state: str | None) -> None:
    assert state_of(content) == state


@pytest.mark.parametrize(
    ("message", "is_right"),
    [
        (inference(1, 1), True),
        (inference(1, 2), False),
        (inference(), False),
        (service_pb2.ModelInferResponse(outputs=[{"name": "boxes"}]).SerializeToString(), False),
        (b"<html></html>", False),
    ],
)
def test_an_inference_is_right_with_one_row_in_each_output(message: bytes, is_right: bool) -> None:  # noqa: FBT001
    assert is_inference_of_one_face(message) is is_right
