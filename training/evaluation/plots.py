"""Pictures of an evaluation, as PNG: where answers go wrong, and whether confidence is honest."""

import io

import numpy as np
import numpy.typing as npt
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from emotion.labels import EMOTIONS
from training.evaluation.metrics import ECE_BINS, Evaluation, Floats, Labels, confidence_bins

_DOTS_PER_INCH = 120
_DARK = 0.5  # of a cell: above it, letters are white


def confusion_picture(result: Evaluation) -> bytes:
    """Draw the confusion matrix: a row is a label, shares of the row, counts in the cells."""
    counts = np.array(result.confusion)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure = Figure(figsize=(7, 6), layout="constrained")
    axes = figure.add_subplot()
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    figure.colorbar(image, ax=axes, label="share of the label's images")
    names = [emotion.value for emotion in EMOTIONS]
    axes.set_xticks(range(len(names)), names, rotation=45)
    axes.set_yticks(range(len(names)), names)
    axes.set_xlabel("answer")
    axes.set_ylabel("label")
    axes.set_title(f"accuracy {result.accuracy:.1%} of {result.images:,} images")
    for row, column in np.ndindex(counts.shape):
        colour = "white" if shares[row, column] > _DARK else "black"
        axes.text(column, row, f"{counts[row, column]:,}", ha="center", va="center", color=colour)
    return _as_png(figure)


def reliability_picture(probabilities: Floats, labels: Labels) -> bytes:
    """Draw how often answers of each confidence are right, and how many there are.

    Args:
        probabilities: float [n, 7] in label order.
        labels: int64 [n].
    """
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    bins = confidence_bins(confidence)
    count = np.bincount(bins, minlength=ECE_BINS)
    shown = count > 0
    accuracy = _mean_by_bin(bins, right.astype(np.float64), count)[shown]
    stated = _mean_by_bin(bins, confidence.astype(np.float64), count)[shown]
    edges = np.linspace(0, 1, ECE_BINS + 1)
    figure = Figure(figsize=(6, 7), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    upper.plot((0, 1), (0, 1), linestyle=":", color="grey", label="honest")
    upper.plot(stated, accuracy, marker="o", label="this model")
    upper.set_ylabel("share of right answers")
    upper.set_ylim(0, 1)
    upper.legend()
    lower.bar(edges[:-1], count, width=1 / ECE_BINS, align="edge", edgecolor="white")
    lower.set_xlabel("confidence")
    lower.set_ylabel("images")
    lower.set_xlim(0, 1)
    return _as_png(figure)


def _mean_by_bin(
    bins: npt.NDArray[np.int64], values: npt.NDArray[np.float64], count: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    sums = np.bincount(bins, weights=values, minlength=ECE_BINS)
    return sums / np.maximum(count, 1)


def _as_png(figure: Figure) -> bytes:
    # No pyplot: it keeps figures in a global list.
    FigureCanvasAgg(figure)
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=_DOTS_PER_INCH)
    return content.getvalue()
