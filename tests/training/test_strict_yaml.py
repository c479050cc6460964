import pytest
import yaml

from training.strict_yaml import read_yaml


def test_text_becomes_plain_values() -> None:
    text = "train: {seed: 7, stages: [{epochs: 1, size: 16}]}\nname: 'größer'\n"
    assert read_yaml(text) == {
        "train": {"seed": 7, "stages": [{"epochs": 1, "size": 16}]},
        "name": "größer",
    }


def test_empty_text_holds_nothing() -> None:
    assert read_yaml("# nothing\n") is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("seed: 1\nlimit: 9\nseed: 2\n", "line 3: seed is given in line 1 already. Remove one"),
        ("train:\n  seed: 1\n  seed: 1\n", "line 3: seed is given in line 2 already. Remove one"),
        ("train: {seed: 1, seed: 2}", "line 1: seed is given in line 1 already. Remove one"),
        ("a: 1\n'a': 2\n", "line 2: a is given in line 1 already. Remove one"),
        ("- {a: 1}\n- {a: 1, a: 2}\n", "line 2: a is given in line 2 already. Remove one"),
    ],
)
def test_key_that_stands_twice_is_refused_by_name_and_line(text: str, message: str) -> None:
    with pytest.raises(yaml.YAMLError) as caught:
        read_yaml(text)
    assert str(caught.value) == message


def test_same_key_in_two_mappings_is_none_twice() -> None:
    assert read_yaml("a: {x: 1}\nb: {x: 2}\n") == {"a": {"x": 1}, "b": {"x": 2}}


def test_key_that_replaces_a_merged_one_is_none_twice() -> None:
    text = "a: &a {x: 1, y: 1}\nb: {<<: *a, y: 2}\n"
    assert read_yaml(text)["b"] == {"x": 1, "y": 2}


@pytest.mark.parametrize("text", ["a: [", "a: b: c", "a: \0", "!!python/object:os.x {}"])
def test_text_that_is_no_yaml_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(yaml.YAMLError) as caught:
        read_yaml(text)
    assert str(caught.value).startswith("no YAML: ")
    assert "\n" not in str(caught.value)
