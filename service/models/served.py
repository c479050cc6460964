"""Which version of a model is served: the one place that decides.

Models are looked for in several repositories, in order: what was pulled comes before what is
built in, and a higher number before a lower one.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from emotion.contract import CLASSIFIER_NAME, DETECTOR_NAME
from emotion.errors import ContractMismatch
from emotion.faces import ModelVersion
from service.models.onnx import OnnxClassifier, load_classifier
from service.models.repository import versions_of


@dataclass(frozen=True, slots=True)
class Candidate:
    """A version that may be served, if it is good.

    Attributes:
        repository: where it lies.
        name: of the model.
        number: of its folder.
    """

    repository: Path
    name: str
    number: int

    @property
    def folder(self) -> Path:
        """Where its file lies."""
        return self.repository / self.name / str(self.number)


@dataclass(frozen=True, slots=True)
class PassedOver:
    """A version that would be served, were it good.

    Attributes:
        folder: where it lies.
        reason: why it can't be used, in one line.
    """

    folder: Path
    reason: str

    def __str__(self) -> str:
        """Return a line for people."""
        return f"{self.folder} is passed over: {self.reason}"


@dataclass(frozen=True, slots=True)
class ModelState:
    """Which classifier answers, and which would if they were good."""

    version: ModelVersion
    passed_over: tuple[PassedOver, ...] = ()


@dataclass(frozen=True, slots=True)
class Served:
    """The classifier that is served.

    Attributes:
        classifier: loaded and warmed up.
        candidate: where it lies.
        passed_over: what comes before it and can't be used, in the order of ``candidates``.
    """

    classifier: OnnxClassifier
    candidate: Candidate
    passed_over: tuple[PassedOver, ...]


def candidates(repositories: Sequence[Path], name: str) -> list[Candidate]:
    """Return a model's versions in the order in which they are considered."""
    return [
        Candidate(repository, name, number)
        for repository in repositories
        for number in reversed(versions_of(repository / name))
    ]


def choose_classifier(repositories: Sequence[Path], max_batch: int) -> Served:
    """Load the first good version; one that is not is passed over.

    Args:
        repositories: in the order in which they are looked into.
        max_batch: see ``OnnxClassifier``.

    Raises:
        ContractMismatch: none is good; says of each why not.
    """
    passed_over: list[PassedOver] = []
    for one in candidates(repositories, CLASSIFIER_NAME):
        try:
            classifier = load_classifier(one.repository, one.number, max_batch)
        except ContractMismatch as error:
            passed_over.append(PassedOver(one.folder, error.message))
        else:
            return Served(classifier, one, tuple(passed_over))
    why = "; ".join(one.reason for one in passed_over)
    raise _nothing(CLASSIFIER_NAME, repositories, f" can be used: {why}" if why else ".")


def find_classifier(
    repositories: Sequence[Path], version: ModelVersion, max_batch: int
) -> OnnxClassifier:
    """Load the very version that work began with, served or not.

    Args:
        repositories: in the order in which they are looked into.
        version: that it says it is.
        max_batch: see ``OnnxClassifier``.

    Raises:
        ContractMismatch: it isn't there any more, or can't be used.
    """
    for one in candidates(repositories, CLASSIFIER_NAME):
        with suppress(ContractMismatch):
            classifier = load_classifier(one.repository, one.number, max_batch)
            if classifier.version == version:
                return classifier
    raise _nothing(
        f"{version.name} {version.version}", repositories, " any more, and work began with it."
    )


def choose_detector(repositories: Sequence[Path]) -> Candidate:
    """Return the first version, good or not.

    A detector is put there by hand, so a wrong one is told to whoever starts the service.

    Raises:
        ContractMismatch: there is none.
    """
    for one in candidates(repositories, DETECTOR_NAME):
        return one
    raise _nothing(DETECTOR_NAME, repositories, ".")


def _nothing(name: str, repositories: Sequence[Path], why: str) -> ContractMismatch:
    return ContractMismatch(f"No {name} in {' or '.join(map(str, repositories))}{why}")
