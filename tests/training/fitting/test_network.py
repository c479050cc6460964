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


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.3])
def test_what_was_spread_evenly_is_taken_off_again(smoothing: float) -> None:
    meant = torch.tensor([[0.6, 0.2, 0.1, 0.04, 0.03, 0.02, 0.01], [1 / 7] * 7])
    learned = torch.log(meant * (1 - smoothing) + smoothing / 7)
    shares = unsmoothed(learned, smoothing).exp()
    torch.testing.assert_close(shares, meant * (1 - smoothing))


def test_emotion_below_the_share_that_was_spread_keeps_a_thousandth() -> None:
    shares = unsmoothed(torch.tensor([[30.0, 0, 0, 0, 0, 0, 0]]), 0.1).exp()
    assert shares[0].tolist() == pytest.approx([1 - 0.1 / 7, *[0.001] * 6])
