"""Temperature scaling: one number that makes confidences honest (Guo et al. 2017).

Logits, label smoothing taken off, are divided by it before the softmax. The answer stays the same;
only how sure it sounds changes. It is measured on val, which the network has not learnt from.
"""

import math

import numpy as np
import numpy.typing as npt

Logits = npt.NDArray[np.floating]
Labels = npt.NDArray[np.int64]

_LOWEST, _HIGHEST = 0.05, 20.0
_PRECISION = 1e-5  # of the temperature's logarithm
_GOLDEN = (math.sqrt(5) - 1) / 2


def fit_temperature(logits: Logits, labels: Labels) -> float:
    """Return the temperature under which the labels are most likely.

    The likelihood has a single peak over the temperature, so a golden-section search over
    its logarithm finds it.

    Args:
        logits: [n, 7] in label order.
        labels: int64 [n].

    Returns:
        A number from 0.05 to 20: above 1 where the network is too sure of itself.
    """
    low, high = math.log(_LOWEST), math.log(_HIGHEST)
    while high - low > _PRECISION:
        left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        if _loss(logits, labels, math.exp(left)) < _loss(logits, labels, math.exp(right)):
            high = right
        else:
            low = left
    return math.exp((low + high) / 2)


def negative_log_likelihood(logits: Logits, labels: Labels) -> float:
    """Return the labels' mean negative log-likelihood in nats, under the logits' softmax."""
    return _loss(logits, labels, temperature=1.0)


def _loss(logits: Logits, labels: Labels, temperature: float) -> float:
    scaled = logits.astype(np.float64) / temperature
    scaled -= scaled.max(axis=1, keepdims=True)
    chosen = scaled[np.arange(len(labels)), labels]
    return float(np.mean(np.log(np.exp(scaled).sum(axis=1)) - chosen))
