import pytest

from emotion.labels import Emotion
from emotion.video.engagement import Engagement, expressiveness, is_facing
from tests.emotion.test_pose import seen, turned
from tests.emotion.video.observed import face_at, sure_of


@pytest.mark.parametrize(
    ("yaw", "pitch", "expected"),
    [(0, 0, True), (28, 0, True), (-28, 0, True), (33, 0, False), (-33, 0, False),
     (0, 22, True), (0, 28, False), (0, -28, False)],
)  # fmt: skip
def test_a_face_is_facing_up_to_30_degrees_along_and_25_up_or_down(
    yaw: float, pitch: float, *, expected: bool
) -> None:
    assert is_facing(seen(turned(yaw, pitch, 0.0))) is expected


def test_the_index_is_the_mean_of_both() -> None:
    assert Engagement(facing=1.0, expressive=0.4).index == pytest.approx(0.7)


def test_expressive_is_what_is_not_neutral() -> None:
    assert expressiveness(sure_of(Emotion.NEUTRAL, 0.75)) == 0.25
    assert expressiveness(sure_of(Emotion.HAPPY, 0.94)) == pytest.approx(0.99)


def test_made_up_faces_look_ahead() -> None:
    assert is_facing(face_at(0).detection.landmarks)
