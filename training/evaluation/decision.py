"""A gate's decision: what was compared, what came of it, and why; in JSON and in words."""

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import TypeAdapter

from training.experiment import GateRecipe

_NOTHING = "-"


@dataclass(frozen=True, slots=True)
class Compared:
    """One figure of both models, as fractions.

    Attributes:
        images: how many it was taken over.
        champion: the champion's; None where there is no champion, or no image.
        challenger: the challenger's; None where there is no image.
        difference: challenger minus champion; None where one of them is missing.
    """

    images: int
    champion: float | None
    challenger: float | None
    difference: float | None


@dataclass(frozen=True, slots=True)
class Judges:
    """Which images judge, so that a later decision can be told to be about the same.

    Attributes:
        images: how many.
        sha256: of the images as published and their labels, in hex.
    """

    images: int
    sha256: str

    def __str__(self) -> str:
        """Return both in a few words; equal words are equal images."""
        return f"{self.images} images, sha256:{self.sha256}"


@dataclass(frozen=True, slots=True)
class Decision:
    """What the gate decided about a challenger, and everything it looked at.

    Attributes:
        accepted: whether the challenger may become champion.
        reasons: sentences; those against it if it is refused, else that for it.
        challenger: the challenger's own version.
        challenger_sha256: of its file.
        champion: the champion's own version; None where there was no champion.
        champion_sha256: of its file.
        p_value: of the one-sided exact McNemar test that the challenger is right more often.
        gained: images that only the challenger answers right.
        lost: images that only the champion answers right.
        accuracy: over all images.
        recall: of each emotion.
        slices: accuracy on each slice.
        worst_slice: the slice on which the challenger falls most, or gains least; None where
            there is no champion or no slice.
        recipe: what the challenger had to show.
        judges: the images that both answered.
    """

    accepted: bool
    reasons: tuple[str, ...]
    challenger: str
    challenger_sha256: str
    champion: str | None
    champion_sha256: str | None
    p_value: float | None
    gained: int
    lost: int
    accuracy: Compared
    recall: Mapping[str, Compared]
    slices: Mapping[str, Compared]
    worst_slice: str | None
    recipe: GateRecipe
    judges: Judges


_JSON = TypeAdapter(Decision)


def as_json(decision: Decision) -> str:
    """Return the decision as indented JSON; ``read_decision`` reads it back."""
    return _JSON.dump_json(decision, indent=2).decode() + "\n"


def read_decision(text: str) -> Decision:
    """Return the decision that ``as_json`` wrote.

    Raises:
        pydantic.ValidationError: the text is something else.
    """
    return _JSON.validate_json(text)


def in_a_sentence(decision: Decision) -> str:
    """Return the outcome and its reasons in one line."""
    outcome = "Accepted" if decision.accepted else "Refused"
    against = f"against {decision.champion}" if decision.champion else "without a champion"
    return f"{outcome} {against}: {' '.join(decision.reasons)}"


def as_table(decision: Decision) -> str:
    """Return what was compared as a table in percent, and the outcome below it."""
    head = f"{'':<28}{'images':>7}{'champion':>10}{'challenger':>12}{'difference':>12}"
    rows = {
        "accuracy": decision.accuracy,
        **{f"recall of {emotion}": figure for emotion, figure in decision.recall.items()},
        **{f"accuracy on {name}": figure for name, figure in decision.slices.items()},
    }
    lines = [
        f"champion    {decision.champion or _NOTHING}",
        f"challenger  {decision.challenger}",
        "",
        head,
        *(_row(name, figure) for name, figure in rows.items()),
        "",
    ]
    if decision.p_value is not None:
        lines.append(
            f"right only in the challenger {decision.gained}, only in the champion "
            f"{decision.lost}; one-sided McNemar p = {decision.p_value:.4f}"
        )
    return "\n".join([*lines, in_a_sentence(decision)])


def _row(name: str, figure: Compared) -> str:
    shares = f"{_percent(figure.champion):>10}{_percent(figure.challenger):>12}"
    points = _NOTHING if figure.difference is None else f"{100 * figure.difference:+.2f}"
    return f"{name:<28}{figure.images:>7,}{shares}{points:>12}"


def _percent(share: float | None) -> str:
    return _NOTHING if share is None else f"{share:.2%}"
