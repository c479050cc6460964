from pathlib import Path

import pytest
import torch
from torch import nn

from emotion.contract import VERSION_KEY
from training.errors import ModelFileError
from training.export.classifier import to_onnx
from training.export.quantisation import quantise
from training.fitting.network import CalibratedClassifier, EmotionNetwork
from training.fitting.run import Run
from training.fitting.warm_start import warm_start
from training.recipe import Recipe

PIXELS = torch.randint(0, 256, (64, 1, 48, 48), generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def network() -> EmotionNetwork:
    """As one that was trained: no batch norm leaves anything as it is."""
    torch.manual_seed(0)
    network = EmotionNetwork()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, std=0.1)
    network(PIXELS.float())  # In training mode: batch norms take their statistics.
    return network.eval()


@pytest.fixture(scope="module")
def exported(network: EmotionNetwork, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("exported") / "fp32.onnx"
    file.write_bytes(
        to_onnx(CalibratedClassifier(network, 1.0, smoothing=0.1).eval(), {VERSION_KEY: "trained"})
    )
    return file


def logits(network: nn.Module) -> torch.Tensor:
    with torch.inference_mode():
        answer: torch.Tensor = network.eval()(PIXELS.float())
    return answer


def test_a_network_goes_on_as_the_one_that_was_exported(
    network: EmotionNetwork, exported: Path
) -> None:
    torch.manual_seed(1)
    other = EmotionNetwork(dropout=0.5)
    warm_start(other, exported, PIXELS.float())
    torch.testing.assert_close(logits(other), logits(network), atol=1e-3, rtol=1e-3)


def test_one_that_was_exported_as_int8_is_nearly_the_same(
    network: EmotionNetwork, exported: Path, tmp_path: Path
) -> None:
    file = tmp_path / "int8.onnx"
    file.write_bytes(quantise(exported.read_bytes(), PIXELS[:, 0].to(torch.uint8).numpy()))
    other = EmotionNetwork()
    warm_start(other, file, PIXELS.float())
    spread = float(logits(network).std())
    assert float((logits(other) - logits(network)).abs().mean()) < 0.1 * spread


def test_a_run_begins_with_it_its_average_too(network: EmotionNetwork, exported: Path) -> None:
    run = Run(Recipe(initial=exported, precision="fp32"), torch.device("cpu"))
    run.warm_start(PIXELS.float())
    torch.testing.assert_close(logits(run.average), logits(network), atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("content", [b"no model", b""])
def test_what_is_no_such_model_is_told(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "model.onnx"
    file.write_bytes(content)
    with pytest.raises(ModelFileError, match=r"model\.onnx"):
        warm_start(EmotionNetwork(), file, PIXELS.float())
