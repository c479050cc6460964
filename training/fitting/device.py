"""Which processor the tensors live on, in what precision it computes, and on how many threads."""

import torch

from training.errors import DeviceError
from training.recipe import Recipe

# torch's names of what multiplies in bf16: on x86, then on ARM. Without it a step in bf16 takes
# twenty times as long as in fp32.
_MULTIPLIES_BF16 = ("amx_bf16", "avx512_bf16", "bf16")


def use_device(name: str, threads: int) -> torch.device:
    """Set this process's CPU threads and return the device of a name.

    Args:
        name: as torch spells it: ``cpu``, ``cuda``, ``cuda:1``, ``mps``.
        threads: CPU threads for one operation.

    Raises:
        DeviceError: torch doesn't know the name, or this machine has no such device.
    """
    torch.set_num_threads(threads)
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    # AssertionError is what a build of torch without CUDA says.
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise DeviceError(f"device {name}: not usable here: {reason}") from error
    return device


def computes_in_bf16(device: torch.device, recipe: Recipe) -> bool:
    """Return whether a recipe's network computes in bf16 here: the recipe says so, and it pays."""
    return recipe.precision == "bf16" and _has_bf16(device)


def autocast(device: torch.device, recipe: Recipe) -> torch.autocast:
    """Return the context in which a recipe's network computes."""
    return torch.autocast(device.type, torch.bfloat16, enabled=computes_in_bf16(device, recipe))


def _has_bf16(device: torch.device) -> bool:
    if device.type == "cpu":
        able = torch.cpu.get_capabilities()
        return any(able.get(name, False) for name in _MULTIPLIES_BF16)
    if device.type == "cuda":
        with torch.cuda.device(device):
            return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return True
