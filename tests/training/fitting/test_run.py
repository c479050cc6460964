import pytest
import torch
from torch import Tensor

from training.fitting.matrix_convolution import MatrixConvolution
from training.fitting.network import EmotionNetwork
from training.fitting.run import Run
from training.recipe import Recipe

CPU = torch.device("cpu")


def batch(seed: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(4, 1, 16, 16, generator=generator) * 255, torch.eye(7)[:4]


def state_of(module: torch.nn.Module) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in module.state_dict().items()}


@pytest.fixture(scope="module")
def after_two_steps() -> tuple[Run, dict[str, Tensor], dict[str, Tensor]]:
    """A run, and its network's state after each of two steps."""
    run = Run(Recipe(precision="fp32", ema_decay=0.75), CPU)
    run.step(*batch(1), learning_rate=0.1)
    first = state_of(run.network)
    run.step(*batch(2), learning_rate=0.1)
    return run, first, state_of(run.network)


@pytest.mark.parametrize("name", ["resnet.conv1.weight", "resnet.bn1.running_var"])
def test_weights_and_batch_norm_statistics_are_averaged_alike(
    after_two_steps: tuple[Run, dict[str, Tensor], dict[str, Tensor]], name: str
) -> None:
    run, first, second = after_two_steps
    assert not torch.equal(first[name], second[name])
    average = run.average.module.state_dict()[name]
    torch.testing.assert_close(average, 0.75 * first[name] + 0.25 * second[name])


def test_step_uses_the_learning_rate_it_is_given() -> None:
    run = Run(Recipe(precision="fp32"), CPU)
    before = state_of(run.network)
    run.step(*batch(1), learning_rate=0.0)
    assert all(torch.equal(value, before[name]) for name, value in run.network.named_parameters())


def test_loss_of_an_untrained_network_is_that_of_knowing_nothing(uniform: float) -> None:
    run = Run(Recipe(precision="fp32"), CPU)
    assert isinstance(run.network, EmotionNetwork)
    torch.nn.init.zeros_(run.network.resnet.fc[1].weight)
    torch.nn.init.zeros_(run.network.resnet.fc[1].bias)
    assert float(run.step(*batch(1), learning_rate=0.1)) == pytest.approx(uniform)


def test_norms_and_biases_do_not_decay() -> None:
    groups = Run(Recipe(weight_decay=0.01), CPU).optimizer.param_groups
    assert [group["weight_decay"] for group in groups] == [0.01, 0.0]
    assert {parameter.ndim for parameter in groups[0]["params"]} == {2, 4}
    assert {parameter.ndim for parameter in groups[1]["params"]} == {1}


def test_same_seed_starts_from_the_same_weights() -> None:
    one, other = (Run(Recipe(seed=5), CPU).network.state_dict() for _ in range(2))
    assert all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("has_bf16", [True, False])
def test_bf16_is_computed_in_where_the_processor_has_it(
    monkeypatch: pytest.MonkeyPatch, *, has_bf16: bool
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": has_bf16})
    run = Run(Recipe(precision="bf16"), CPU)
    products = [one for one in run.network.modules() if isinstance(one, MatrixConvolution)]
    assert bool(products) == has_bf16
    with run.autocast(), torch.inference_mode():
        answer = run.network(batch(1)[0])
    assert answer.dtype == (torch.bfloat16 if has_bf16 else torch.float32)
