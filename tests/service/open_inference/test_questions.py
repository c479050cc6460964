import pytest

from emotion.errors import InvalidRequest
from service.open_inference.contract import BOXES, LABELS, OUTPUTS, TensorSpec
from service.open_inference.questions import (
    check_count,
    check_model,
    check_version,
    choose_outputs,
    count_photos,
    only_input,
    shown,
)


def count(name: str = "image", datatype: str = "BYTES", *shape: int) -> int:
    return count_photos(TensorSpec(name, datatype, shape), (), max_photos=16)


def test_the_model_that_is_served_passes() -> None:
    check_model("emotion")


@pytest.mark.parametrize("name", ["", "Emotion", "emotion_classifier"])
def test_any_other_is_told(name: str) -> None:
    with pytest.raises(InvalidRequest, match=f"no model '{name}'; the one served is 'emotion'"):
        check_model(name)


@pytest.mark.parametrize("asked", ["", "v7"])
def test_no_version_or_the_one_that_is_served_passes(asked: str) -> None:
    check_version(asked, "v7")


def test_another_version_is_told() -> None:
    with pytest.raises(InvalidRequest, match="Version '1' of 'emotion' is not served; 'v7' is"):
        check_version("1", "v7")


@pytest.mark.parametrize("inputs", [[], [1, 2]])
def test_there_is_one_input(inputs: list[int]) -> None:
    assert only_input([7]) == 7
    with pytest.raises(InvalidRequest, match=f"one input, 'image'; {len(inputs)} were given"):
        only_input(inputs)


def test_photos_are_counted_by_the_shape() -> None:
    assert count("image", "BYTES", 16) == 16


@pytest.mark.parametrize(
    ("name", "datatype", "shape", "message"),
    [
        ("photo", "BYTES", (1,), "There is no input 'photo'; it is 'image'"),
        ("image", "UINT8", (1,), "The datatype of 'image' is BYTES, not 'UINT8'"),
        ("image", "", (1,), "BYTES, not ''"),
        ("image", "BYTES", (), "one number; 0 were given"),
        ("image", "BYTES", (1, 1), "one number; 2 were given"),
        ("image", "BYTES", (0,), "1 to 16 photos here, not 0"),
        ("image", "BYTES", (-1,), "1 to 16 photos here, not -1"),
        ("image", "BYTES", (17,), "1 to 16 photos here, not 17"),
        ("image", "BYTES", (2**63 - 1,), "1 to 16 photos here, not 9223372036854775807"),
    ],
)
def test_what_is_no_input_of_the_model_is_told(
    name: str, datatype: str, shape: tuple[int, ...], message: str
) -> None:
    with pytest.raises(InvalidRequest, match=message):
        count(name, datatype, *shape)


def test_shared_memory_is_not_read() -> None:
    parameters = {"shared_memory_region": "mine"}
    with pytest.raises(InvalidRequest, match="Shared memory is not offered"):
        count_photos(TensorSpec("image", "BYTES", (1,)), parameters, max_photos=16)
    with pytest.raises(InvalidRequest, match="Shared memory is not offered"):
        choose_outputs([("boxes", parameters)])


def test_elements_are_as_many_as_the_shape_says() -> None:
    check_count([b""], 1)
    with pytest.raises(InvalidRequest, match="says 2 photos; 1 were given"):
        check_count([b""], 2)


def test_all_outputs_are_given_where_none_is_asked_for() -> None:
    assert choose_outputs([]) == OUTPUTS


def test_outputs_come_in_the_order_they_are_asked_for() -> None:
    assert choose_outputs([("labels", ()), ("boxes", ("binary_data",))]) == (LABELS, BOXES)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ([("mood", ())], "no output 'mood'; there are boxes, scores, probabilities, labels, image"),
        ([("boxes", ()), ("boxes", ())], "'boxes' is asked for twice"),
        ([("labels", ("classification",))], "Classes are not offered"),
    ],
)
def test_an_output_that_is_not_offered_is_told(
    asked: list[tuple[str, tuple[str, ...]]], message: str
) -> None:
    with pytest.raises(InvalidRequest, match=message):
        choose_outputs(asked)


def test_a_long_word_is_cut_in_a_message() -> None:
    assert shown("x" * 60) == repr("x" * 60)
    assert shown("x" * 61) == repr("x" * 60 + "...")
    assert shown("a\n\u202eb") == "'a\\n\\u202eb'"
