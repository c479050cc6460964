"""Limits in a running service: requests in flight, the deadline, a model that is gone."""

from pathlib import Path

import grpc
import httpx
import pytest

from tests.e2e.grpc_calls import infer, open_ended, refusal_of
from tests.e2e.servers import Server, has_ended, rapt, until
from tests.e2e.uploads import uploading
from tests.service.grpc.client import asking


def kind_of(response: httpx.Response) -> tuple[int, str]:
    assert response.headers["content-type"] == "application/problem+json"
    return response.status_code, response.json()["type"].rpartition(":")[2]


def test_beyond_the_limit_which_http_and_grpc_have_together_it_says_when_to_try_again(
    tmp_path: Path, face_jpeg: bytes
) -> None:
    message = asking(face_jpeg).SerializeToString()
    with (
        rapt("inline", tmp_path, RAPT_MAX_IN_FLIGHT="1") as server,
        grpc.insecure_channel(server.grpc_target) as channel,
    ):
        headers = ("content-type: image/jpeg", f"content-length: {len(face_jpeg)}")
        with uploading(server.port, *headers) as upload:
            upload.send(face_jpeg[:1000])
            until(lambda: server.metric("rapt_requests_in_flight") == 1, 10)
            refused = server.post(face_jpeg)
            assert kind_of(refused) == (503, "overloaded")
            assert refused.headers["retry-after"] == "1"
            code, details, metadata = refusal_of(channel, message)
            assert code is grpc.StatusCode.RESOURCE_EXHAUSTED
            assert details == "All 1 places for requests are taken. Try again shortly."
            assert metadata["grpc-retry-pushback-ms"] == "1000"
            assert server.get("/readyz").status_code == 200
            upload.send(face_jpeg[1000:])
            assert upload.status() == 200
        with open_ended(channel):
            until(lambda: server.metric("rapt_requests_in_flight") == 1, 10)
            assert kind_of(server.post(face_jpeg)) == (503, "overloaded")
        # It ended without a message.
        until(lambda: server.metric("rapt_requests_in_flight") == 0, 10)
        assert server.post(face_jpeg).status_code == 200
        assert infer(channel, face_jpeg).exception(30) is None


def test_past_its_deadline_a_photo_is_refused_and_the_work_is_not_done(
    tmp_path: Path, face_jpeg: bytes
) -> None:
    with (
        rapt("inline", tmp_path, RAPT_DEADLINE_SECONDS="0.0001") as server,
        grpc.insecure_channel(server.grpc_target) as channel,
    ):
        for _ in range(5):
            assert kind_of(server.post(face_jpeg)) == (504, "deadline-exceeded")
            code, *_ = refusal_of(channel, asking(face_jpeg).SerializeToString())
            assert code is grpc.StatusCode.DEADLINE_EXCEEDED
        assert server.metric("rapt_photos_total") == 0
        assert server.metric("rapt_requests_failed_total") == 10
        assert server.metric("rapt_requests_in_flight") == 0


@pytest.mark.soak
@pytest.mark.parametrize("server", ["runners"], indirect=True)
@pytest.mark.parametrize("stage", ["FaceDetector", "EmotionClassifier"])
def test_a_killed_model_is_503_until_it_is_back(
    stage: str, server: Server, face_jpeg: bytes
) -> None:
    killed = server.member(f"--service-name {stage}")
    killed.kill()
    until(lambda: has_ended(killed), 10)
    refused = server.get("/readyz")
    assert kind_of(refused) == (503, "model-unavailable")
    assert refused.headers["retry-after"] == "10"
    response = server.post(face_jpeg)
    assert response.status_code in (200, 503)
    until(lambda: server.get("/readyz").status_code == 200, 40, server)
    assert server.post(face_jpeg).status_code == 200
    assert server.member(f"--service-name {stage}").pid != killed.pid
