"""The networks that are trained: torchvision's ResNet-18 for one channel and small faces.

The served one's stem is one 3x3 convolution of stride 2 without pooling: 312 million multiply-adds
a face at 48x48. torchvision's own stem (7x7, stride 2, then pooling) would leave a 48-pixel
face at 12x12 before the first block.
"""

import torch
from torch import Tensor, nn
from torchvision.models import ResNet, resnet18

from emotion.labels import EMOTIONS
from training.recipe import Network

# Mean and standard deviation of FER2013's training pixels, 0 to 255.
PIXEL_MEAN = 129.5
PIXEL_STD = 65.0

# What an emotion keeps at least of the share that it was stated to have. From 0.035 to 0.14 labels
# of val are about as likely; without it one that comes to nothing could never be right.
_LEAST_KEPT = 0.1
_TINY = 1e-12  # Has a logarithm.


class EmotionNetwork(nn.Module):
    """Grey pixels in, logits out. Normalisation is the first layer."""

    def __init__(self, dropout: float = 0.0) -> None:
        """Build with random weights.

        Args:
            dropout: share of the last features dropped in training.
        """
        super().__init__()
        self.resnet = _resnet(dropout, stride=2)

    def forward(self, pixels: Tensor) -> Tensor:
        """Return logits float [n, 7] in label order for float pixels [n, 1, h, w], 0 to 255."""
        logits: Tensor = self.resnet((pixels - PIXEL_MEAN) / PIXEL_STD)
        return logits


class FineNetwork(nn.Module):
    """The same with a stem of stride 1: it sees four times as many places, at four times the cost.

    Too dear to be served, it can teach one that is. Its weights have other names, so that neither
    is taken for the other.
    """

    def __init__(self, dropout: float = 0.0) -> None:
        """Build with random weights; see ``EmotionNetwork``."""
        super().__init__()
        self.fine = _resnet(dropout, stride=1)

    def forward(self, pixels: Tensor) -> Tensor:
        """Return logits float [n, 7] in label order for float pixels [n, 1, h, w], 0 to 255."""
        logits: Tensor = self.fine((pixels - PIXEL_MEAN) / PIXEL_STD)
        return logits


class CalibratedClassifier(nn.Module):
    """The exported graph: uint8 crops in, calibrated probabilities out."""

    temperature: Tensor

    def __init__(self, network: EmotionNetwork, temperature: float, *, smoothing: float) -> None:
        """Wrap a trained network.

        Args:
            network: what was trained.
            temperature: as measured on val.
            smoothing: the share of each target that was spread evenly in training.
        """
        super().__init__()
        self.network = network
        self.smoothing = smoothing
        self.register_buffer("temperature", torch.tensor(temperature))

    def forward(self, crops: Tensor) -> Tensor:
        """Return probabilities float32 [n, 7] for crops uint8 [n, 1, 48, 48]."""
        meant = unsmoothed(self.network(crops.float()), self.smoothing)
        return torch.softmax(meant / self.temperature, dim=1)


def unsmoothed(logits: Tensor, smoothing: float) -> Tensor:
    """Return what a network would say, had its targets not been smoothed.

    One that learned ``(1 - smoothing) * target + smoothing / 7`` states that, so no face is ever
    sure: the share that was spread evenly is taken off again, but for a tenth of what was stated.
    The emotions keep their order.

    Args:
        logits: float32 [n, 7].
        smoothing: the share, 0 to 1.

    Returns:
        Logarithms of what is left, float32 [n, 7]: logits of another scale.
    """
    stated = torch.softmax(logits, dim=1)
    meant = torch.maximum(stated - smoothing / len(EMOTIONS), stated * _LEAST_KEPT)
    return torch.log(torch.clamp_min(meant, _TINY))


def build_network(name: Network, dropout: float = 0.0) -> EmotionNetwork | FineNetwork:
    """Build the network that a recipe names, with random weights."""
    return EmotionNetwork(dropout) if name == "served" else FineNetwork(dropout)


def _resnet(dropout: float, stride: int) -> ResNet:
    resnet = resnet18(num_classes=len(EMOTIONS), zero_init_residual=True)
    resnet.conv1 = nn.Conv2d(1, 64, kernel_size=3, stride=stride, padding=1, bias=False)
    resnet.maxpool = nn.Identity()
    resnet.fc = nn.Sequential(nn.Dropout(dropout), nn.Linear(resnet.fc.in_features, len(EMOTIONS)))
    nn.init.kaiming_normal_(resnet.conv1.weight, mode="fan_out", nonlinearity="relu")
    return resnet
