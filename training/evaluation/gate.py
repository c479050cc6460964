"""The gate: whether a challenger is better than the champion, shown on the same images.

Nothing here reads a file or asks a registry: probabilities go in, a decision comes out.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import binomtest

from emotion.labels import EMOTIONS
from training.evaluation.decision import Compared, Decision, Judges
from training.experiment import GateRecipe

Marks = npt.NDArray[np.bool_]

_ONE_IMAGE = 1 + 1e-9  # Its share, as a quotient, may be rounded either way.


@dataclass(frozen=True, slots=True, eq=False)
class Contender:
    """A model and its answers to the images that decide.

    Attributes:
        version: the model's own.
        sha256: of its file, in hex.
        probabilities: float32 [n, 7] in label order.
        is_trial: whether it learnt from a cut of the data.
        judged_by: ``str`` of the images that made it champion; None where that isn't known.
    """

    version: str
    sha256: str
    probabilities: npt.NDArray[np.float32]
    is_trial: bool = False
    judged_by: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Exam:
    """The images that both contenders answered, and what is right.

    Attributes:
        judges: which images they are.
        labels: int64 [n], the right answers.
        slices: by name, bool [n]: the images of the slice.
    """

    judges: Judges
    labels: npt.NDArray[np.int64]
    slices: Mapping[str, Marks]

    @property
    def missing(self) -> list[str]:
        """The emotions that no image shows."""
        shown = set(self.labels.tolist())
        return [str(emotion) for label, emotion in enumerate(EMOTIONS) if label not in shown]


def judge(
    challenger: Contender,
    champion: Contender | None,
    exam: Exam,
    recipe: GateRecipe,
) -> Decision:
    """Decide whether a challenger may take the champion's place.

    It may if all of this holds:

    - the exam shows every emotion (a trial's may not), and it is the one that judged the
      champion: whoever chooses the images chooses the winner;
    - the one-sided exact McNemar test (the sign test on the images that only one of both
      answers right) gives p <= ``significance``, and it answers more images right;
    - no emotion's recall falls by more than ``recall_margin``;
    - on no slice does accuracy fall by more than ``slice_margin``: the slice that falls most
      is the worst one, whatever its accuracy is.

    A fall of exactly the margin is allowed, and of one image: of few, one is more than the margin.
    Emotions and slices without an image don't count.
    The champion's own file is refused, and a trial in place of a model that is none. Without a
    champion any challenger may.

    Args:
        challenger: who wants to become champion.
        champion: who is, or None.
        exam: what both answered.
        recipe: significance and margins, as fractions.
    """
    labels = exam.labels
    new = _right(challenger, labels)
    old = None if champion is None else _right(champion, labels)
    everything = np.ones(len(labels), dtype=np.bool_)
    accuracy = _compare(new, old, everything)
    recall = {
        str(emotion): _compare(new, old, labels == label) for label, emotion in enumerate(EMOTIONS)
    }
    on_slices = {name: _compare(new, old, marks) for name, marks in exam.slices.items()}
    gained, lost, p_value = (0, 0, None) if old is None else _mcnemar(new, old)
    against: list[str] = []
    if champion is not None and p_value is not None:
        against = [
            *_not_in_question(challenger, champion),
            *_not_by_these(challenger, champion, exam),
            *_not_better(gained, lost, p_value, recipe.significance),
            *_falls("recall of", recall, recipe.recall_margin),
            *_falls("accuracy on", on_slices, recipe.slice_margin),
        ]
    return Decision(
        accepted=not against,
        reasons=tuple(against) or (_in_favour(gained, lost, p_value),),
        challenger=challenger.version,
        challenger_sha256=challenger.sha256,
        champion=champion.version if champion else None,
        champion_sha256=champion.sha256 if champion else None,
        p_value=p_value,
        gained=gained,
        lost=lost,
        accuracy=accuracy,
        recall=recall,
        slices=on_slices,
        worst_slice=_worst(on_slices),
        recipe=recipe,
        judges=exam.judges,
    )


def _not_in_question(challenger: Contender, champion: Contender) -> list[str]:
    if challenger.sha256 == champion.sha256:
        return ["It is the champion: both files have the same SHA-256."]
    if challenger.is_trial and not champion.is_trial:
        return ["It is a trial: it learnt from a cut of the data, and is never served."]
    return []


def _not_by_these(challenger: Contender, champion: Contender, exam: Exam) -> list[str]:
    against = []
    if exam.missing and not challenger.is_trial:
        against.append(f"Val has no image of {', '.join(exam.missing)}: it can't judge.")
    if champion.judged_by != str(exam.judges):
        against.append(
            f"Val is not the one that judged the champion: {exam.judges} now, "
            f"{champion.judged_by or 'unknown'} then."
        )
    return against


def _right(contender: Contender, labels: npt.NDArray[np.int64]) -> Marks:
    right: Marks = contender.probabilities.argmax(axis=1) == labels
    return right


def _compare(new: Marks, old: Marks | None, among: Marks) -> Compared:
    images = int(among.sum())
    if not images:
        return Compared(0, None, None, None)
    hits = int(new[among].sum())
    if old is None:
        return Compared(images, None, hits / images, None)
    former = int(old[among].sum())
    # From the counts, so that a fall of exactly the margin is not more than it.
    return Compared(images, former / images, hits / images, (hits - former) / images)


def _mcnemar(new: Marks, old: Marks) -> tuple[int, int, float]:
    """Return images gained, images lost and the exact one-sided p-value (McNemar 1947)."""
    gained, lost = int(np.sum(new & ~old)), int(np.sum(old & ~new))
    if gained + lost == 0:
        return 0, 0, 1.0
    return gained, lost, float(binomtest(gained, gained + lost, 0.5, alternative="greater").pvalue)


def _not_better(gained: int, lost: int, p_value: float, significance: float) -> list[str]:
    counts = f"it gains {gained} images and loses {lost}"
    if gained <= lost:
        return [f"It is not right more often: {counts}."]
    if p_value > significance:
        return [
            f"It is not shown to be right more often: {counts}, p = {p_value:.4f}, above "
            f"{significance:g}."
        ]
    return []


def _falls(what: str, figures: Mapping[str, Compared], margin: float) -> list[str]:
    return [
        f"Its {what} {name} falls by {-100 * figure.difference:.2f} points, more than "
        f"{100 * margin:.2f}."
        for name, figure in figures.items()
        if figure.difference is not None
        and -figure.difference > max(margin, _ONE_IMAGE / figure.images)
    ]


def _in_favour(gained: int, lost: int, p_value: float | None) -> str:
    if p_value is None:
        return "No champion yet."
    return f"It gains {gained} images and loses {lost}, p = {p_value:.4f}."


def _worst(slices: Mapping[str, Compared]) -> str | None:
    falls = {
        name: figure.difference for name, figure in slices.items() if figure.difference is not None
    }
    return min(falls, key=falls.__getitem__) if falls else None
