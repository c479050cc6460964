from importlib.metadata import version

from service.open_inference.contract import OUTPUTS, model_facts, server_facts


def test_the_model_takes_photos_and_gives_a_row_a_face() -> None:
    assert model_facts("v7") == {
        "name": "emotion",
        "versions": ["v7"],
        "platform": "rapt",
        "inputs": [{"name": "image", "datatype": "BYTES", "shape": [-1]}],
        "outputs": [
            {"name": "boxes", "datatype": "FP32", "shape": [-1, 4]},
            {"name": "scores", "datatype": "FP32", "shape": [-1]},
            {"name": "probabilities", "datatype": "FP32", "shape": [-1, 7]},
            {"name": "labels", "datatype": "BYTES", "shape": [-1]},
            {"name": "image_index", "datatype": "INT32", "shape": [-1]},
        ],
    }


def test_the_server_is_this_version_of_rapt() -> None:
    assert server_facts() == {
        "name": "rapt",
        "version": version("rapt"),
        "extensions": ["binary_tensor_data"],
    }


def test_every_output_has_a_name_of_its_own() -> None:
    assert len({spec.name for spec in OUTPUTS}) == len(OUTPUTS)
