import pytest
import torch

from training.errors import DeviceError
from training.fitting.device import use_device


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
