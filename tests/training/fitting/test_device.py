import pytest
import torch

from training.errors import DeviceError
from training.fitting.device import computes_in_bf16, use_device
from training.recipe import Recipe


def test_cpu_is_always_there() -> None:
    assert use_device("cpu", threads=1) == torch.device("cpu")


def test_threads_are_set() -> None:
    use_device("cpu", threads=3)
    assert torch.get_num_threads() == 3


@pytest.mark.parametrize("name", ["abacus", "cuda:99"])
def test_device_that_is_not_there_is_refused_in_one_line(name: str) -> None:
    with pytest.raises(DeviceError, match=f"device {name}: not usable here: ") as caught:
        use_device(name, threads=1)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("able", "pays"),
    [
        ({"avx512_bf16": True}, True),
        ({"amx_bf16": True, "avx512_bf16": False}, True),
        ({"neon": True, "bf16": True}, True),
        ({"avx2": True, "amx_bf16": False, "avx512_bf16": False}, False),
        ({"neon": True}, False),
    ],
)
def test_bf16_is_for_processors_that_have_it(
    able: dict[str, bool], monkeypatch: pytest.MonkeyPatch, *, pays: bool
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: able)
    cpu = torch.device("cpu")
    assert computes_in_bf16(cpu, Recipe(precision="bf16")) == pays
    assert not computes_in_bf16(cpu, Recipe(precision="fp32"))
