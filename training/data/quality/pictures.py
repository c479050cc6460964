"""The report's plots and faces, each as a data URI, so that the page is one file."""

import base64
import io
from collections.abc import Sequence

import cv2
import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator

from emotion.labels import EMOTIONS
from training.data.quality.facts import ANGLES, PreparedSplit, faces_by_class

# Okabe and Ito's colours, which colour-blind people tell apart.
_COLOURS = {"train": "#0072B2", "val": "#E69F00", "test": "#009E73"}
_FOUND = {"one": "#009E73", "several": "#E69F00", "none": "#D55E00"}
_NAMES = [emotion.value for emotion in EMOTIONS]
_BINS = 40
_SHARPNESS_TICKS = [20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000]
_OUTLIERS = 0.995  # the share of values that a histogram shows


def class_balance(splits: Sequence[PreparedSplit]) -> str:
    """Draw each class's share of each split."""
    figure, axes = _canvas("share of the split's images")
    width = 0.8 / len(splits)
    places = np.arange(len(_NAMES))
    for number, split in enumerate(splits):
        counts = np.bincount(split.split.labels, minlength=len(_NAMES))
        shares = counts / counts.sum()
        left = places + (number - (len(splits) - 1) / 2) * width
        axes.bar(left, shares, width, color=_COLOURS[split.name], label=split.name)
    axes.set_xticks(places, _NAMES)
    axes.yaxis.set_major_formatter("{x:.0%}")
    axes.legend(frameon=False)
    return _as_uri(figure)


def faces_found(splits: Sequence[PreparedSplit]) -> str:
    """Draw, class by class over all splits, on which share no face or several were found."""
    tables = [faces_by_class(split) for split in splits]
    counts = {
        key: np.array([sum(t[name][key] for t in tables) for name in _NAMES]) for key in _FOUND
    }
    total = np.maximum(sum(counts.values()), 1)
    figure, axes = _canvas("share of the class's images")
    bottom = np.zeros(len(_NAMES))
    for key in ("none", "several"):
        shares = counts[key] / total
        label = "no face" if key == "none" else "several faces"
        axes.bar(_NAMES, shares, 0.6, bottom, color=_FOUND[key], label=label)
        bottom += shares
    axes.yaxis.set_major_formatter("{x:.0%}")
    axes.legend(frameon=False)
    return _as_uri(figure)


def light_and_sharpness(splits: Sequence[PreparedSplit]) -> str:
    """Draw how brightness, contrast and sharpness are spread, split by split."""
    figure = Figure(figsize=(9, 2.8), layout="constrained")
    titles = {
        "brightness": "brightness (mean grey)",
        "contrast": "contrast (standard deviation)",
        "sharpness": "sharpness (log scale)",
    }
    for number, (key, title) in enumerate(titles.items()):
        values = {split.name: _known(getattr(split.conditions, key)) for split in splits}
        if key == "sharpness":
            # A blank image has none at all, and no logarithm.
            values = {name: np.log10(found[found > 0]) for name, found in values.items()}
        axes = figure.add_subplot(1, len(titles), number + 1)
        _histogram(axes, values, title)
        if key == "sharpness":
            axes.xaxis.set_major_locator(FixedLocator(np.log10(_SHARPNESS_TICKS).tolist()))
            axes.xaxis.set_major_formatter(lambda power, _: f"{10**power:,.0f}")
    return _as_uri(figure)


def poses(splits: Sequence[PreparedSplit]) -> str:
    """Draw how far heads are turned, split by split."""
    figure = Figure(figsize=(9, 2.8), layout="constrained")
    titles = ("yaw: left - right", "pitch: down - up", "roll: tilted left - right")
    for axis, title in enumerate(titles[: len(ANGLES)]):
        values = {split.name: _known(split.conditions.pose[:, axis]) for split in splits}
        _histogram(figure.add_subplot(1, len(ANGLES), axis + 1), values, f"{title}, degrees")
    return _as_uri(figure)


def face(image: npt.NDArray[np.uint8]) -> str:
    """Return one grey image [h, w] as a data URI."""
    return _uri("image/png", cv2.imencode(".png", image)[1].tobytes())


def mean_face(images: npt.NDArray[np.uint8]) -> str | None:
    """Return the mean of images [n, h, w] as a data URI; None where there is none."""
    return face(images.mean(axis=0).round().astype(np.uint8)) if len(images) else None


def _canvas(label: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(9, 3), layout="constrained")
    axes = figure.add_subplot()
    axes.set_ylabel(label)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _histogram(axes: Axes, values: dict[str, npt.NDArray[np.float32]], title: str) -> None:
    """Draw the splits' outlines over each other, each as shares of its own."""
    together = np.concatenate([np.empty(0, np.float32), *values.values()])
    if len(together):
        low, high = np.quantile(together, [1 - _OUTLIERS, _OUTLIERS])
        edges = np.linspace(low, high if high > low else low + 1, _BINS + 1).tolist()
        for name, found in values.items():
            weights = np.full(len(found), 1 / max(len(found), 1))
            axes.hist(
                found, edges, weights=weights, histtype="step", color=_COLOURS[name], label=name
            )
        axes.legend(frameon=False, fontsize="small")
    axes.set_title(title, fontsize="medium")
    axes.set_yticks([])
    axes.spines[["top", "right", "left"]].set_visible(False)


def _known(values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    return values[~np.isnan(values)]


def _as_uri(figure: Figure) -> str:
    file = io.BytesIO()
    # Without a date, and with names that aren't drawn at random, the same data gives the same.
    with mpl.rc_context({"svg.hashsalt": "report"}):
        figure.savefig(file, format="svg", metadata={"Date": None})
    return _uri("image/svg+xml", file.getvalue())


def _uri(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
