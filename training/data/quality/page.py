"""``report.html`` and ``report.json``: the report on prepared data, for people and programs."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import jinja2
import numpy as np
import numpy.typing as npt

from emotion.labels import EMOTIONS
from training.data.quality import pictures
from training.data.quality.facts import (
    Conflict,
    Place,
    PreparedSplit,
    conflicts_in,
    facts_of,
    read_prepared,
)
from training.whole_files import write_whole

PAGE = "report.html"
_TEMPLATE = "report.html.jinja"
_SHOWN = 18  # faces in two rows of examples
_SHOWN_MISSED = 45
_SHOWN_CONFLICTS = 60
_LISTED = 200
_NAMES = [emotion.value for emotion in EMOTIONS]


@dataclass(frozen=True, slots=True)
class _Picture:
    """A face with the words below it."""

    source: str
    caption: str


@dataclass(frozen=True, slots=True)
class _Gallery:
    """Faces with a title; the note says what they have in common."""

    title: str
    note: str
    pictures: list[_Picture]


def write_report(folder: Path, about: dict[str, str]) -> Path:
    """Write the report on a prepared folder beside its data.

    Args:
        folder: what ``prepare`` wrote.
        about: what to say at the top of the page: where the data comes from, by whom it was
            looked at.

    Returns:
        The page. The same data gives the same bytes.

    Raises:
        DatasetError: the folder was not prepared.
    """
    splits = read_prepared(folder)
    facts = {"about": about, **facts_of(splits)}
    write_whole(folder / "report.json", json.dumps(facts, indent=2) + "\n")
    page = folder / PAGE
    write_whole(page, _render(splits, facts))
    return page


def _render(splits: Sequence[PreparedSplit], facts: dict[str, object]) -> str:
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    template = files(__package__).joinpath(_TEMPLATE).read_text(encoding="utf-8")
    conflicts = conflicts_in(splits)
    shown = [_conflict(group, splits) for group in conflicts[:_SHOWN_CONFLICTS]]
    left_out = [(split.name, item) for split in splits for item in split.left_out]
    return environment.from_string(template).render(
        facts=facts,
        emotions=_NAMES,
        class_balance=pictures.class_balance(splits),
        faces_found=pictures.faces_found(splits),
        light=pictures.light_and_sharpness(splits),
        poses=pictures.poses(splits),
        conflicts=shown,
        blank=_gallery("Blank images", "one grey all over", _marked(splits, "blank"), splits),
        faceless=_faceless(splits),
        extremes=_extremes(splits),
        turned=_turned(splits),
        means=_means(splits),
        left_out=left_out[:_LISTED],
        left_out_count=len(left_out),
    )


def _conflict(group: Conflict, splits: Sequence[PreparedSplit]) -> _Picture:
    counts: dict[int, Counter[str]] = {}
    for place, label in zip(group.places, group.labels, strict=True):
        counts.setdefault(label, Counter())[place.split] += 1
    words = [
        f"{_NAMES[label]} ({', '.join(f'{count} {split}' for split, count in where.items())})"
        for label, where in counts.items()
    ]
    return _Picture(_picture(group.places[0], splits).source, ", ".join(words))


def _faceless(splits: Sequence[PreparedSplit]) -> list[_Gallery]:
    none = _drawn([p for p in _marked(splits, "none") if not _is_blank(p, splits)], _SHOWN_MISSED)
    several = _drawn(_marked(splits, "several"), _SHOWN)
    return [
        _gallery("No face found", "drawn at random, blank images left out", none, splits),
        _gallery("Several faces found", "drawn at random", several, splits),
    ]


def _extremes(splits: Sequence[PreparedSplit]) -> list[_Gallery]:
    titles = {
        "brightness": ("Darkest", "Brightest"),
        "contrast": ("Least contrast", "Most contrast"),
        "sharpness": ("Most blurred", "Sharpest"),
    }
    galleries = []
    for key, (least, most) in titles.items():
        values = [np.where(split.blank, np.nan, getattr(split.conditions, key)) for split in splits]
        galleries += _both_ends(values, splits, (least, most), "{:,.0f}")
    return galleries


def _turned(splits: Sequence[PreparedSplit]) -> list[_Gallery]:
    titles = (
        ("Looks furthest to the left", "Looks furthest to the right"),
        ("Looks furthest down", "Looks furthest up"),
        ("Tilted furthest to the left", "Tilted furthest to the right"),
    )
    galleries = []
    for axis, ends in enumerate(titles):
        values = [split.conditions.pose[:, axis] for split in splits]
        galleries += _both_ends(values, splits, ends, "{:.0f}°")
    return galleries


def _both_ends(
    values: Sequence[npt.NDArray[np.float32]],
    splits: Sequence[PreparedSplit],
    titles: tuple[str, str],
    caption: str,
) -> list[_Gallery]:
    """Show the images with the least and with the greatest of what was measured."""
    measured = [
        (float(value), Place(split.name, row))
        for split, column in zip(splits, values, strict=True)
        for row, value in enumerate(column)
        if not np.isnan(value)
    ]
    measured.sort(key=lambda pair: pair[0])
    ends = (measured[:_SHOWN], measured[::-1][:_SHOWN])
    return [
        _Gallery(
            title,
            "",
            [
                _Picture(_picture(place, splits).source, caption.format(value))
                for value, place in end
            ],
        )
        for title, end in zip(titles, ends, strict=True)
    ]


def _means(splits: Sequence[PreparedSplit]) -> list[_Gallery]:
    galleries = []
    for title, kind in (("As published", "images"), ("Framed as a served face", "aligned")):
        shown = []
        for label, name in enumerate(_NAMES):
            parts = [
                getattr(split.split, kind)[(split.split.labels == label) & (split.faces == 1)]
                for split in splits
            ]
            source = pictures.mean_face(np.concatenate(parts))
            if source:
                shown.append(_Picture(source, name))
        galleries.append(_Gallery(title, "images with exactly one face", shown))
    return galleries


def _marked(splits: Sequence[PreparedSplit], mark: str) -> list[Place]:
    found = []
    for split in splits:
        masks = {"blank": split.blank, "none": split.faces == 0, "several": split.faces > 1}
        found += [Place(split.name, int(row)) for row in np.flatnonzero(masks[mark])]
    return found


def _drawn(places: list[Place], count: int) -> list[Place]:
    """Draw some, always the same."""
    order = np.random.default_rng(0).permutation(len(places))[:count]
    return [places[index] for index in sorted(order)]


def _is_blank(place: Place, splits: Sequence[PreparedSplit]) -> bool:
    return bool(_split(place, splits).blank[place.row])


def _gallery(
    title: str, note: str, places: Sequence[Place], splits: Sequence[PreparedSplit]
) -> _Gallery:
    return _Gallery(title, note, [_picture(place, splits) for place in places[:_SHOWN_MISSED]])


def _picture(place: Place, splits: Sequence[PreparedSplit]) -> _Picture:
    split = _split(place, splits).split
    return _Picture(
        pictures.face(split.images[place.row]), f"{_NAMES[split.labels[place.row]]}, {place.split}"
    )


def _split(place: Place, splits: Sequence[PreparedSplit]) -> PreparedSplit:
    return next(split for split in splits if split.name == place.split)
