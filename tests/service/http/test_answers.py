import json

from emotion.errors import UndecodableImage
from emotion.faces import ModelVersion, PhotoAnswer
from service.answers import PhotoBody
from service.http.answers import BatchBody, IdentifiedPhotoBody

ANSWER = PhotoAnswer(4, 3, (), ModelVersion("emotion_classifier", "made-up"))
PHOTO = {
    "image": {"width": 4, "height": 3},
    "faces": [],
    "model": {"name": "emotion_classifier", "version": "made-up"},
}


def test_a_photos_answer_begins_with_the_requests_id() -> None:
    body = IdentifiedPhotoBody(id="r1", **dict(PhotoBody.of(ANSWER)))
    assert list(json.loads(body.model_dump_json()).items()) == list({"id": "r1", **PHOTO}.items())


def test_a_batch_has_one_result_or_error_a_photo_in_order() -> None:
    body = BatchBody.of("r1", [ANSWER, UndecodableImage("The photo is truncated.")])
    assert json.loads(body.model_dump_json()) == {
        "id": "r1",
        "results": [
            PHOTO,
            {
                "error": {
                    "type": "urn:rapt:problem:undecodable-image",
                    "title": "Bad Request",
                    "status": 400,
                    "detail": "The photo is truncated.",
                    "instance": "urn:rapt:request:r1",
                }
            },
        ],
    }
