import numpy as np
import pytest
import torch

from training.fitting.network import (
    CalibratedClassifier,
    EmotionNetwork,
    FineNetwork,
    build_network,
    unsmoothed,
)


@pytest.fixture(scope="module")
def network() -> EmotionNetwork:
    torch.manual_seed(1)
    return EmotionNetwork().eval()


@pytest.mark.parametrize("side", [32, 40, 48])
def test_any_training_size_gives_seven_logits(network: EmotionNetwork, side: int) -> None:
    with torch.inference_mode():
        assert network(torch.full((3, 1, side, side), 128.0)).shape == (3, 7)


def test_first_block_sees_24_pixels_of_a_48_pixel_face(network: EmotionNetwork) -> None:
    stem = torch.nn.Sequential(network.resnet.conv1, network.resnet.maxpool)
    with torch.inference_mode():
        assert stem(torch.zeros(1, 1, 48, 48)).shape == (1, 64, 24, 24)


def test_fine_network_sees_all_48_pixels() -> None:
    network = build_network("fine")
    assert isinstance(network, FineNetwork)
    with torch.inference_mode():
        assert network.fine.conv1(torch.zeros(1, 1, 48, 48)).shape == (1, 64, 48, 48)


def test_neither_network_is_taken_for_the_other() -> None:
    served, fine = build_network("served"), build_network("fine")
    for one, other in ((served, fine), (fine, served)):
        with pytest.raises(RuntimeError, match="Missing key"):
            one.load_state_dict(other.state_dict())


def test_probabilities_of_bytes_are_the_softmax_of_scaled_logits(network: EmotionNetwork) -> None:
    crops = torch.arange(2 * 48 * 48).remainder(256).to(torch.uint8).view(2, 1, 48, 48)
    with torch.inference_mode():
        answer = CalibratedClassifier(network, 2.5, smoothing=0.0)(crops)
        expected = torch.softmax(network(crops.float()) / 2.5, dim=1)
    assert answer.dtype == torch.float32
    torch.testing.assert_close(answer, expected)


def test_calibration_takes_smoothing_off_before_the_temperature(network: EmotionNetwork) -> None:
    crops = torch.arange(2 * 48 * 48).remainder(256).to(torch.uint8).view(2, 1, 48, 48)
    with torch.inference_mode():
        answer = CalibratedClassifier(network, 2.0, smoothing=0.1)(crops)
        stated = torch.softmax(network(crops.float()), dim=1)
    meant = torch.sqrt(stated - 0.1 / 7)
    assert stated.min() > 0.02
    torch.testing.assert_close(answer, meant / meant.sum(dim=1, keepdim=True))


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.3])
def test_what_was_spread_evenly_is_taken_off_again(smoothing: float) -> None:
    meant = torch.tensor([[0.6, 0.2, 0.1, 0.04, 0.03, 0.02, 0.01], [1 / 7] * 7])
    learned = torch.log(meant * (1 - smoothing) + smoothing / 7)
    shares = unsmoothed(learned, smoothing).exp()
    torch.testing.assert_close(shares, meant * (1 - smoothing))


def test_without_smoothing_nothing_is_taken_off() -> None:
    logits = torch.tensor([[9.0, 1, 0, -3, -6, -9, -12], [1.0, 0, 0, 0, 0, 0, 0]])
    torch.testing.assert_close(unsmoothed(logits, 0.0), torch.log_softmax(logits, dim=1))


@pytest.mark.parametrize("smoothing", [0.1, 0.5, 1.0])
def test_emotions_keep_their_order_and_the_least_a_tenth(smoothing: float) -> None:
    logits = torch.tensor([[6.0, 3, 1, -1, -3, -5, -7], [0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.0]])
    meant = unsmoothed(logits, smoothing)
    assert meant.diff(dim=1).max() < 0
    assert meant[0, 6] == pytest.approx(float(torch.log_softmax(logits, 1)[0, 6] + np.log(0.1)))


def test_logits_that_lie_far_apart_stay_finite() -> None:
    assert torch.isfinite(unsmoothed(torch.tensor([[500.0, 0, 0, 0, 0, 0, -500.0]]), 0.1)).all()
