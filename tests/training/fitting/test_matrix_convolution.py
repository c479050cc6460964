import pytest
import torch
from torch import Tensor, nn

from training.fitting.matrix_convolution import MatrixConvolution, use_matrix_products
from training.fitting.network import EmotionNetwork

SHAPES = [(3, 1, 3), (3, 1, 6), (3, 2, 6), (3, 2, 5), (1, 2, 6), (1, 2, 5), (1, 1, 4)]


def computed(layer: nn.Module, pixels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """A layer's answer, and how a sum of it, unevenly weighted, depends on pixels and weights."""
    pixels = pixels.clone().requires_grad_()
    answer = layer(pixels)
    uneven = torch.linspace(-1, 1, answer.numel()).view(answer.shape)
    return answer, *torch.autograd.grad((answer * uneven).sum(), [pixels, *layer.parameters()])


@pytest.mark.parametrize(("side", "stride", "size"), SHAPES)
def test_products_are_the_convolution_and_its_gradients(side: int, stride: int, size: int) -> None:
    torch.manual_seed(1)
    plain = nn.Conv2d(5, 4, side, stride, side // 2, bias=False)
    products = MatrixConvolution(5, 4, side, stride, side // 2, bias=False)
    products.load_state_dict(plain.state_dict())
    pixels = torch.randn(2, 5, size, size)
    torch.testing.assert_close(computed(products, pixels), computed(plain, pixels))


def test_products_are_taken_in_the_precision_of_autocast() -> None:
    layer = MatrixConvolution(2, 3, 1, bias=False)
    with torch.autocast("cpu", torch.bfloat16):
        answer = layer(torch.ones(1, 2, 4, 4))
    assert answer.dtype == torch.bfloat16
    answer.float().sum().backward()
    assert layer.weight.grad is not None
    assert layer.weight.grad.dtype == torch.float32


def test_a_network_that_takes_products_answers_alike_and_keeps_its_weights_names() -> None:
    torch.manual_seed(1)
    network = EmotionNetwork().eval()
    names = list(network.state_dict())
    pixels = torch.rand(2, 1, 48, 48) * 255
    with torch.inference_mode():
        plain = network(pixels)
        use_matrix_products(network)
        assert sum(isinstance(one, MatrixConvolution) for one in network.modules()) == 7
        torch.testing.assert_close(network(pixels), plain)
    assert list(network.state_dict()) == names
