"""An evaluation in writing: a table for people, JSON for programs."""

import json

from emotion.labels import EMOTIONS
from training.evaluation.metrics import ECE_BINS, Evaluation

_NOTHING = "-"


def as_json(result: Evaluation) -> str:
    """Return the figures as one line of JSON: fractions, and null for one over no images."""
    return json.dumps(
        {
            "accuracy": result.accuracy,
            "accuracy_without_copies": result.accuracy_without_copies,
            "ferplus_accuracy": result.ferplus_accuracy,
            "macro_f1": result.macro_f1,
            "ece": result.ece,
            "recall": {str(emotion): share for emotion, share in result.recall.items()},
        }
    )


def as_table(result: Evaluation) -> str:
    """Return the figures as percentages, with the count of images behind each."""
    figures = (
        ("accuracy", result.accuracy, f"{result.images:,} images"),
        (
            "accuracy without copies",
            result.accuracy_without_copies,
            f"{result.images_without_copies:,} images that equal no training image",
        ),
        (
            "FER+ accuracy",
            result.ferplus_accuracy,
            f"{result.images_with_majority:,} images with one majority among the seven",
        ),
        ("macro-F1", result.macro_f1, "mean of the seven emotions"),
        ("ECE", result.ece, f"{ECE_BINS} bins"),
    )
    lines = [f"{name:<24}{_percent(value):>7}   {note}" for name, value, note in figures]
    return "\n".join([*lines, "", *_confusion(result)])


def _confusion(result: Evaluation) -> list[str]:
    head = "".join(f"{emotion:>9}" for emotion in EMOTIONS)
    rows = (
        f"{emotion:<9}{sum(counts):>7,}{_percent(result.recall[emotion]):>8}"
        + "".join(f"{count:>9,}" for count in counts)
        for emotion, counts in zip(EMOTIONS, result.confusion, strict=True)
    )
    return [f"{'label':<9}{'images':>7}{'recall':>8}{head}  answered", *rows]


def _percent(share: float | None) -> str:
    return _NOTHING if share is None else f"{share:.2%}"
