"""An evaluation in writing: a table for people, JSON for programs."""

import json
from collections.abc import Mapping
from dataclasses import asdict

from emotion.labels import EMOTIONS
from training.evaluation.groups import GroupFigures
from training.evaluation.metrics import ECE_BINS, Evaluation, standard_error

_NOTHING = "-"


def as_json(result: Evaluation, groups: Mapping[str, GroupFigures]) -> str:
    """Return the figures as one line of JSON: fractions, and null for one over no images."""
    return json.dumps(
        {
            "accuracy": result.accuracy,
            "accuracy_without_copies": result.accuracy_without_copies,
            "ferplus_accuracy": result.ferplus_accuracy,
            "macro_f1": result.macro_f1,
            "ece": result.ece,
            "recall": {str(emotion): share for emotion, share in result.recall.items()},
            "slices": {name: asdict(figures) for name, figures in result.slices.items()},
            "groups": {group: asdict(figures) for group, figures in groups.items()},
        }
    )


def as_table(result: Evaluation) -> str:
    """Return the figures as percentages, with standard errors and the images behind each."""
    figures = (
        ("accuracy", result.accuracy, result.images, "images"),
        (
            "accuracy without copies",
            result.accuracy_without_copies,
            result.images_without_copies,
            "images that equal no training image",
        ),
        (
            "FER+ accuracy",
            result.ferplus_accuracy,
            result.images_with_majority,
            "images with one majority among the seven",
        ),
    )
    lines = [
        *(_share(name, share, count, note) for name, share, count, note in figures),
        f"{'macro-F1':<24}{_percent(result.macro_f1):>7}           mean of the seven emotions",
        f"{'ECE':<24}{_percent(result.ece):>7}           {ECE_BINS} bins",
        *(
            _share(f"on {name}", figures.accuracy, figures.images, "images")
            for name, figures in result.slices.items()
        ),
    ]
    return "\n".join([*lines, "", *_confusion(result)])


def _share(name: str, share: float | None, count: int, note: str) -> str:
    error = "" if share is None else f"± {_percent(standard_error(share, count))}"
    return f"{name:<24}{_percent(share):>7} {error:<9} {count:,} {note}"


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
