"""Which processor the tensors live on, and how many threads compute on the CPU."""

import torch

from training.errors import DeviceError


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
