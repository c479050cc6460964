from emotion.labels import EMOTIONS


def test_labels_stand_in_the_order_of_fer2013() -> None:
    assert EMOTIONS == ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
