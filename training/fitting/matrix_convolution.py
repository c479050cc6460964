"""Convolutions as matrix products, where that is faster: on a CPU that multiplies in bf16.

oneDNN's gradients of kernels with many channels over few pixels take several times as long as the
products they consist of: on 128 images of 3x3 pixels, 512 to 512 channels take 60 CPU ms in bf16,
forwards and backwards, and 17 as products (docs/decisions.md). Where the pixels are many, it is the
other way round, since each is copied once for each place of the kernel.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

# As many channels as this are over few pixels, in a network for small faces.
_MANY_CHANNELS = 512


class MatrixConvolution(nn.Conv2d):
    """A convolution without a bias, of square kernels, padded by half of their side."""

    def forward(self, pixels: Tensor) -> Tensor:
        """Return float [n, out, h / stride, w / stride], rounded up, for float [n, in, h, w]."""
        weight = self.weight
        if torch.is_autocast_enabled("cpu"):
            kind = torch.get_autocast_dtype("cpu")
            pixels, weight = pixels.to(kind), weight.to(kind)
        answer: Tensor = _Convolve.apply(pixels, weight, self.stride[0])
        return answer


def use_matrix_products(network: nn.Module) -> None:
    """Have a network compute so where that is faster; its weights keep their names."""
    for module in network.modules():
        if type(module) is nn.Conv2d and _gains(module):
            module.__class__ = MatrixConvolution


def _gains(layer: nn.Conv2d) -> bool:
    is_plain = layer.bias is None and layer.groups == 1 and layer.dilation == (1, 1)
    side = layer.kernel_size[0]
    is_even = layer.kernel_size == (side, side) and layer.padding == (side // 2, side // 2)
    return is_plain and is_even and (side == 1 or layer.out_channels >= _MANY_CHANNELS)


class _Convolve(torch.autograd.Function):
    """One product forwards, two backwards; images lie as [n, h, w, channels] meanwhile."""

    @staticmethod
    def forward(ctx: Any, pixels: Tensor, weight: Tensor, stride: int) -> Tensor:  # noqa: ANN401  # torch's
        images = pixels.permute(0, 2, 3, 1)
        windows = _windows(images, weight.shape[2], stride)
        ctx.save_for_backward(windows, weight)
        ctx.shape, ctx.stride = images.shape, stride
        return (windows.flatten(3) @ _matrix(weight).t()).permute(0, 3, 1, 2)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor, Tensor, None]:  # noqa: ANN401  # torch's
        windows, weight = ctx.saved_tensors
        count, channels, side, _ = weight.shape
        slopes = slope.permute(0, 2, 3, 1).reshape(-1, count)
        of_weight = slopes.t() @ windows.view(len(slopes), -1)
        of_windows = (slopes @ _matrix(weight)).view(windows.shape)
        of_images = _sum_of_windows(of_windows, ctx.shape, ctx.stride)
        return (
            of_images.permute(0, 3, 1, 2),
            of_weight.view(count, side, side, channels).permute(0, 3, 1, 2),
            None,
        )


def _matrix(weight: Tensor) -> Tensor:
    """Return kernels [out, in, side, side] as rows [out, side * side * in]."""
    return weight.permute(0, 2, 3, 1).flatten(1)


def _windows(images: Tensor, side: int, stride: int) -> Tensor:
    """Return what a kernel sees at each place, [n, rows, columns, side, side, channels]."""
    edge = side // 2
    padded = functional.pad(images, (0, 0, edge, edge, edge, edge)).contiguous()
    return (
        padded.unfold(1, side, stride)
        .unfold(2, side, stride)
        .permute(0, 1, 2, 4, 5, 3)
        .contiguous()
    )


def _sum_of_windows(windows: Tensor, shape: torch.Size, stride: int) -> Tensor:
    """Return images [n, h, w, channels] onto which windows are added, each at its place."""
    _, rows, columns, side, _, channels = windows.shape
    count, height, width, _ = shape
    edge = side // 2
    total = torch.zeros(count, height + 2 * edge, width + 2 * edge, channels)
    for top in range(side):
        for left in range(side):
            place = total[
                :, top : top + stride * rows : stride, left : left + stride * columns : stride
            ]
            place += windows[:, :, :, top, left]
    return total[:, edge : edge + height, edge : edge + width].to(windows.dtype)
