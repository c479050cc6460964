"""What good photos are answered with, in every topology."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from emotion.deadline import Deadline
from emotion.faces import Face, PhotoAnswer
from emotion.labels import EMOTIONS
from emotion.photo import PhotoPipeline
from service.models.served import choose_classifier
from service.settings import Settings
from service.stages.inline import InlineClassifier, InlineDetector
from tests.e2e.models import readyz
from tests.e2e.servers import Server, words_of

# Answers are rounded: to a tenth of a pixel, and to four digits.
PIXEL, SHARE = 0.05 + 1e-3, 0.00005 + 1e-6
# Triton's runtime finds landmarks that differ in the last digit from ours, so that a pixel of a
# crop may be rounded the other way: 0.003 of a probability, on processors without AVX-512.
SHARE_OF_ANOTHER_RUNTIME = 0.01


@pytest.fixture(scope="session")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> PhotoPipeline:
    """The same models in this process: what every server has to answer."""
    settings = Settings(home=tmp_path_factory.mktemp("home"), detector_precision="f32")
    served = choose_classifier(settings.model_repositories, settings.max_batch)
    classifier = InlineClassifier(served.classifier, settings)
    return PhotoPipeline(InlineDetector(settings), classifier)


@pytest.fixture
def share(request: pytest.FixtureRequest) -> float:
    """How far a share may be from ours."""
    node: pytest.Function = request.node
    return SHARE_OF_ANOTHER_RUNTIME if node.callspec.params["server"] == "triton" else SHARE


@pytest.fixture(scope="session")
def expected(face_jpeg: bytes, pipeline: PhotoPipeline) -> PhotoAnswer:
    return answer_of(face_jpeg, pipeline)


def answer_of(photo: bytes, pipeline: PhotoPipeline) -> PhotoAnswer:
    (answer,) = asyncio.run(pipeline.analyse([photo], Deadline()))
    assert isinstance(answer, PhotoAnswer)
    return answer


def assert_same(body: dict[str, Any], answer: PhotoAnswer, share: float) -> None:
    assert body["image"] == {"width": answer.width, "height": answer.height}
    assert body["model"] == {"name": answer.model.name, "version": answer.model.version}
    assert len(body["faces"]) == len(answer.faces)
    for said, face in zip(body["faces"], answer.faces, strict=True):
        assert_same_face(said, face, share)


def assert_same_face(said: dict[str, Any], face: Face, share: float) -> None:
    box = face.detection.box
    assert said["box"] == pytest.approx(
        {"x": box.x, "y": box.y, "width": box.width, "height": box.height}, abs=PIXEL
    )
    assert list(said["probabilities"]) == [emotion.value for emotion in EMOTIONS]
    assert list(said["probabilities"].values()) == pytest.approx(face.probabilities, abs=share)
    assert said["confidence"] == pytest.approx(max(face.probabilities), abs=share)
    assert said["score"] == pytest.approx(face.detection.score, abs=share)


def test_a_photo_has_the_same_answer_in_every_topology(
    server: Server, face_jpeg: bytes, expected: PhotoAnswer, share: float
) -> None:
    response = server.post(face_jpeg)
    assert response.status_code == 200
    assert response.json()["id"] == response.headers["x-request-id"]
    assert_same(response.json(), expected, share)


def test_a_form_has_the_same_answer(
    server: Server, face_jpeg: bytes, expected: PhotoAnswer, share: float
) -> None:
    response = httpx.post(f"{server.url}/v1/photos", files={"photo": face_jpeg}, timeout=30)
    assert_same(response.json(), expected, share)


def test_a_batch_has_one_result_a_photo_in_order(
    server: Server, face_jpeg: bytes, expected: PhotoAnswer, share: float
) -> None:
    photos = [face_jpeg, b"text", b"", face_jpeg]
    files = [("photo", ("x.jpg", photo)) for photo in photos]
    response = httpx.post(f"{server.url}/v1/photos:batch", files=files, timeout=30)
    assert response.status_code == 200
    one, text, nothing, again = response.json()["results"]
    assert_same(one, expected, share)
    assert_same(again, expected, share)
    assert [bad["error"]["status"] for bad in (text, nothing)] == [415, 400]


@pytest.mark.shared_data
def test_a_crowds_answer_does_not_depend_on_how_its_faces_are_batched(
    server: Server, pipeline: PhotoPipeline, shared_data: Path, share: float
) -> None:
    photo = (shared_data / "photos" / "selfie_many.jpg").read_bytes()
    response = server.post(photo)
    assert response.status_code == 200
    assert_same(response.json(), answer_of(photo, pipeline), share)


def test_the_same_connection_answers_again_after_a_good_photo(
    server: Server, face_jpeg: bytes
) -> None:
    with httpx.Client(base_url=server.url, timeout=30) as client:
        for _ in range(3):
            headers = {"content-type": "image/jpeg"}
            response = client.post("/v1/photos", content=face_jpeg, headers=headers)
            assert response.headers.get("connection") != "close"


def test_it_is_alive_ready_and_measured(server: Server, face_jpeg: bytes) -> None:
    assert server.get("/livez").status_code == 200
    assert readyz(server)["status"] == "ready"
    before = server.metric("rapt_faces_total")
    server.post(face_jpeg)
    assert server.metric("rapt_faces_total") == before + 1
    assert server.metric("rapt_requests_in_flight") == 0


def test_the_documentation_is_served(server: Server) -> None:
    assert server.get("/docs").status_code == 200
    assert "/v1/photos" in server.get("/openapi.json").json()["paths"]


def test_only_the_topology_runners_has_a_process_for_each_model(
    server: Server, request: pytest.FixtureRequest
) -> None:
    workers = [one for one in server.family() if "_bentoml_impl.worker" in " ".join(words_of(one))]
    runners = request.node.callspec.params["server"] == "runners"
    assert len(workers) == (3 if runners else 1)
