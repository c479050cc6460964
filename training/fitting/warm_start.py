"""Begins a run with the weights of an exported classifier, int8 or fp32, in place of random ones.

An exported network's batch norms are folded into its convolutions: a kernel and a bias a
convolution are left. Each convolution here takes that kernel, and the batch norm behind it the
statistics of what then comes out of it, mu and sigma, with the scale sigma and the shift
bias + mu: so the two give what the folded one gives, and can be trained on.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from training.errors import ModelFileError

_PREFIX = "network."  # CalibratedClassifier's name for what is trained.
_DEQUANTISED = "_DequantizeLinear_Output"


def warm_start(network: nn.Module, model: Path, pixels: Tensor) -> None:
    """Give a network the weights of an exported one, in place.

    Args:
        network: of the same layers; it is left in evaluation mode.
        model: an ONNX file of a classifier, as ``training.export`` writes it.
        pixels: float32 [n, 1, h, w], 0 to 255: images that batch-norm statistics are of.

    Raises:
        ModelFileError: it has other layers.
    """
    weights = _weights_of(model)
    hooks: list[RemovableHandle] = []
    try:
        for name, layer, norm in _layers(network):
            layer.state_dict()["weight"].copy_(weights[f"{name}.weight"])
            bias = weights[f"{name}.bias" if norm is None else f"{name}.weight_bias"]
            if norm is None:
                layer.state_dict()["bias"].copy_(bias)
            else:
                hooks.append(norm.register_forward_pre_hook(_fit_to(bias.to(pixels.device))))
        network.eval()
        with torch.inference_mode():
            network(pixels)
    except (KeyError, RuntimeError) as error:
        raise ModelFileError(f"{model}: not of this network's layers: {error}") from error
    finally:
        for hook in hooks:
            hook.remove()


def _weights_of(model: Path) -> dict[str, Tensor]:
    """Return what convolutions and the last layer hold, float32, by their names in the network."""
    try:
        graph = onnx.load(str(model)).graph
    except Exception as error:  # protobuf's own, which it doesn't promise
        raise ModelFileError(f"{model}: can't be read: {error}") from error
    held = {one.name: numpy_helper.to_array(one) for one in graph.initializer}
    for node in graph.node:
        if node.op_type == "DequantizeLinear" and node.input[0] in held:
            held[node.output[0]] = _dequantised(*(held[name] for name in node.input))
    used = (name for node in graph.node if node.op_type in ("Conv", "Gemm") for name in node.input)
    return {
        name.removeprefix(_PREFIX).removesuffix(_DEQUANTISED): torch.from_numpy(held[name].copy())
        for name in used
        if name in held
    }


def _dequantised(values: Any, scale: Any, zero: Any) -> Any:  # noqa: ANN401  # arrays of any type
    """Return (values - zero) * scale; a scale a channel is one along the first axis."""
    shape = (-1, *(1,) * (values.ndim - 1)) if np.ndim(scale) else ()
    whole = values.astype(np.float32) - zero.astype(np.float32).reshape(shape)
    return (whole * scale.reshape(shape)).astype(np.float32)


def _layers(
    network: nn.Module,
) -> Iterator[tuple[str, nn.Conv2d | nn.Linear, nn.BatchNorm2d | None]]:
    """Give what has kernels or weights, each convolution with the batch norm behind it."""
    modules = dict(network.named_modules())
    for name, module in modules.items():
        if isinstance(module, nn.Linear):
            yield name, module, None
        elif isinstance(module, nn.Conv2d):
            path, _, last = name.rpartition(".")
            # torchvision's names: conv1 and bn1; in a shortcut, 0 and 1.
            behind = last.replace("conv", "bn") if "conv" in last else "1"
            yield name, module, cast("nn.BatchNorm2d", modules[f"{path}.{behind}"])


def _fit_to(bias: Tensor) -> Callable[[nn.Module, tuple[Tensor]], None]:
    """Return a hook that makes a batch norm add a bias to its input, and do nothing else."""

    def hook(norm: nn.Module, given: tuple[Tensor]) -> None:
        variance, mean = torch.var_mean(given[0], dim=(0, 2, 3), correction=0)
        state = norm.state_dict()  # The norm's own tensors.
        state["running_mean"].copy_(mean)
        state["running_var"].copy_(variance)
        state["weight"].copy_(torch.sqrt(variance + cast("nn.BatchNorm2d", norm).eps))
        state["bias"].copy_(mean + bias)

    return hook
