from google.protobuf import text_format
from tritonclient.grpc.model_config_pb2 import ModelConfig

from emotion.model_config import names_in, parameter_of, with_names

CONFIG = 'name: "emotion_classifier"\nmax_batch_size: 4\n'


def parameters_of(config: str) -> dict[str, str]:
    """What Triton reads."""
    parsed = text_format.Parse(config, ModelConfig())
    return {key: value.string_value for key, value in parsed.parameters.items()}


def test_a_version_has_its_name() -> None:
    config = with_names(CONFIG, {2: "2026.11.24-256f34e1-int8", 1: "old"})
    assert config.startswith(CONFIG)
    assert names_in(config) == {1: "old", 2: "2026.11.24-256f34e1-int8"}


def test_triton_reads_the_names_as_parameters() -> None:
    config = with_names(CONFIG, {1: "old", 12: "new"})
    assert parameters_of(config) == {parameter_of(1): "old", parameter_of(12): "new"}


def test_names_that_were_there_are_replaced() -> None:
    config = with_names(with_names(CONFIG, {1: "old", 2: "new"}), {3: "newest"})
    assert config == with_names(CONFIG, {3: "newest"})
    assert with_names(config, {}) == CONFIG


def test_other_parameters_stay() -> None:
    other = 'parameters { key: "version_policy" value: { string_value: "1" } }\n'
    assert names_in(CONFIG + other) == {}
    assert with_names(CONFIG + other, {}) == CONFIG + other


def test_a_last_line_without_an_end_stays_a_line_of_its_own() -> None:
    assert names_in(with_names(CONFIG.rstrip("\n"), {1: "new"})) == {1: "new"}


def test_a_name_can_not_break_out_of_its_line() -> None:
    config = with_names(CONFIG, {1: 'a" } } name: "b\\\n\u00e9'})
    assert names_in(config) == {1: "a? } } name: ?b???"}
    assert parameters_of(config) == {"version_1": "a? } } name: ?b???"}
