import threading
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import structlog
from prometheus_client import CollectorRegistry

from emotion.contract import CLASSIFIER_NAME
from emotion.errors import ContractMismatch
from emotion.faces import ModelVersion
from service.metrics import SwapMetrics
from service.models import swapping
from service.models.onnx import OnnxClassifier
from service.models.swapping import SwappingClassifier
from tests.service.tiny_models import TinyRepository, classifier

CROPS = np.zeros((1, 1, 48, 48), dtype=np.uint8)


class Swaps:
    """A classifier of tiny repositories, and what it has counted."""

    def __init__(self, *repositories: TinyRepository) -> None:
        self._registry = CollectorRegistry()
        folders = [one.folder for one in repositories]
        self.classifier = SwappingClassifier(folders, 8, SwapMetrics(self._registry))

    @property
    def version(self) -> str:
        return self.classifier.version.version

    @property
    def passed_over(self) -> list[str]:
        """The folders' numbers."""
        return [one.folder.name for one in self.classifier.state.passed_over]

    def count(self, outcome: str) -> float:
        value = self._registry.get_sample_value("rapt_model_swaps_total", {"outcome": outcome})
        assert value is not None
        return value


@pytest.fixture
def swaps(tiny: TinyRepository) -> Swaps:
    tiny.write()
    return Swaps(tiny)


@pytest.fixture
def trims(monkeypatch: pytest.MonkeyPatch) -> list[None]:
    """An entry for each time that memory was given back."""
    calls: list[None] = []
    monkeypatch.setattr(swapping, "_trim", lambda: calls.append(None))
    return calls


def test_it_serves_what_it_found(swaps: Swaps) -> None:
    assert swaps.classifier.classify(CROPS).model.version == swaps.version == "tiny"
    assert swaps.classifier.max_batch == 4


def test_without_a_good_version_it_does_not_start(tiny: TinyRepository) -> None:
    tiny.set_model(CLASSIFIER_NAME, classifier(version=None))
    tiny.write()
    with pytest.raises(ContractMismatch, match="no 'version'"):
        Swaps(tiny)


@pytest.fixture
def damaged(tiny: TinyRepository) -> TinyRepository:
    """Version 1 is good; 2 and 3 are not."""
    for number in (2, 3):
        tiny.set_model(CLASSIFIER_NAME, classifier(classes=6 + number), number)
    tiny.write()
    return tiny


def test_it_starts_on_the_newest_good_version(damaged: TinyRepository) -> None:
    with structlog.testing.capture_logs() as logs:
        swaps = Swaps(damaged)
        for _ in range(3):
            swaps.classifier.refresh()
    assert swaps.classifier.state.version == ModelVersion(CLASSIFIER_NAME, "tiny")
    assert swaps.passed_over == ["3", "2"]
    assert (swaps.count("swapped"), swaps.count("refused")) == (0, 2)
    assert [(log["event"], log["log_level"]) for log in logs] == 2 * [("model_refused", "warning")]
    assert {(log["folder"], log["served"]) for log in logs} == {
        (f"{damaged.folder}/{CLASSIFIER_NAME}/{number}", "tiny") for number in (2, 3)
    }
    assert "answers with shape" in logs[0]["reason"]


def test_a_version_that_is_still_damaged_is_not_told_of_again(damaged: TinyRepository) -> None:
    swaps = Swaps(damaged)
    with (damaged.folder / "README.md").open("a") as readme:
        readme.write("\n")
    swaps.classifier.refresh()
    assert (swaps.passed_over, swaps.count("refused")) == (["3", "2"], 2)


def test_a_damaged_version_that_is_gone_is_told_of_no_more(damaged: TinyRepository) -> None:
    swaps = Swaps(damaged)
    place = damaged.folder / CLASSIFIER_NAME
    (place / "3").rename(place / "gone")
    swaps.classifier.refresh()
    assert (swaps.passed_over, swaps.count("refused")) == (["2"], 2)
    (place / "2").rename(place / "gone too")
    swaps.classifier.refresh()
    assert (swaps.passed_over, swaps.version) == ([], "tiny")
    assert (swaps.count("swapped"), swaps.count("refused")) == (0, 2)


def test_what_was_passed_over_at_the_start_is_taken_up_when_it_is_mended(
    damaged: TinyRepository,
) -> None:
    swaps = Swaps(damaged)
    damaged.set_model(CLASSIFIER_NAME, classifier("mended"), 3)
    damaged.write()
    swaps.classifier.refresh()
    assert (swaps.version, swaps.passed_over) == ("mended", [])
    assert swaps.count("swapped") == 1


def test_it_keeps_what_it_serves_when_that_is_damaged_later(
    swaps: Swaps, tiny: TinyRepository
) -> None:
    tiny.set_model(CLASSIFIER_NAME, classifier("new"), version=2)
    tiny.write()
    swaps.classifier.refresh()
    (tiny.folder / CLASSIFIER_NAME / "2" / "model.onnx").write_bytes(b"damaged")
    swaps.classifier.refresh()
    assert (swaps.version, swaps.passed_over, swaps.count("refused")) == ("new", ["2"], 1)


def test_without_any_version_left_it_keeps_what_it_serves(
    swaps: Swaps, tiny: TinyRepository
) -> None:
    (tiny.folder / CLASSIFIER_NAME).rename(tiny.folder / "gone")
    swaps.classifier.refresh()
    assert (swaps.version, swaps.passed_over) == ("tiny", [])


def test_a_new_version_is_taken_up(swaps: Swaps, tiny: TinyRepository) -> None:
    tiny.set_model(CLASSIFIER_NAME, classifier("new"), version=2)
    tiny.write()
    swaps.classifier.refresh()
    assert swaps.classifier.classify(CROPS).model.version == swaps.version == "new"
    assert (swaps.count("swapped"), swaps.count("refused")) == (1, 0)


def test_a_newest_version_that_is_gone_brings_the_former_one_back(
    swaps: Swaps, tiny: TinyRepository
) -> None:
    tiny.set_model(CLASSIFIER_NAME, classifier("new"), version=2)
    place = tiny.write() / CLASSIFIER_NAME / "2"
    swaps.classifier.refresh()
    place.rename(place.with_name("gone"))
    swaps.classifier.refresh()
    assert swaps.version == "tiny"


def test_a_version_in_a_repository_that_comes_before_is_taken_up(
    tiny: TinyRepository, tmp_path: Path
) -> None:
    before = TinyRepository(tmp_path / "before")
    tiny.write()
    swaps = Swaps(before, tiny)
    assert swaps.version == "tiny"
    before.set_model(CLASSIFIER_NAME, classifier("pulled"))
    before.write()
    swaps.classifier.refresh()
    assert swaps.version == "pulled"


@pytest.mark.parametrize(
    "bad", [classifier(version=None), classifier(classes=8), classifier(labels=("happy",))]
)
def test_a_version_without_the_contract_is_not_served_and_not_tried_twice(
    bad: "object", swaps: Swaps, tiny: TinyRepository
) -> None:
    tiny.set_model(CLASSIFIER_NAME, bad, version=2)  # type: ignore[arg-type]  # onnx has no types
    tiny.write()
    for _ in range(3):
        swaps.classifier.refresh()
    assert swaps.classifier.classify(CROPS).model.version == "tiny"
    assert (swaps.count("swapped"), swaps.count("refused")) == (0, 1)


def test_a_refused_version_is_tried_again_when_its_file_has_changed(
    swaps: Swaps, tiny: TinyRepository
) -> None:
    tiny.set_model(CLASSIFIER_NAME, classifier(version=None), version=2)
    tiny.write()
    swaps.classifier.refresh()
    tiny.set_model(CLASSIFIER_NAME, classifier("mended"), version=2)
    tiny.write()
    swaps.classifier.refresh()
    assert swaps.version == "mended"


def test_a_file_that_is_not_the_listed_one_is_not_served(
    swaps: Swaps, tiny: TinyRepository
) -> None:
    tiny.set_model(CLASSIFIER_NAME, classifier("new"), version=2)
    tiny.write()
    file = tiny.folder / CLASSIFIER_NAME / "2" / "model.onnx"
    file.write_bytes(classifier("other").SerializeToString())
    swaps.classifier.refresh()
    assert swaps.version == "tiny"


def test_the_same_model_under_another_number_is_no_swap(swaps: Swaps, tiny: TinyRepository) -> None:
    tiny.set_model(CLASSIFIER_NAME, classifier(), version=2)
    tiny.write()
    swaps.classifier.refresh()
    assert swaps.count("swapped") == 0


def test_another_configuration_of_the_same_model_is_taken_up(
    swaps: Swaps, tiny: TinyRepository
) -> None:
    tiny.replace(f"{CLASSIFIER_NAME}/config.pbtxt", "max_batch_size: 4", "max_batch_size: 2")
    tiny.write()
    swaps.classifier.refresh()
    assert swaps.classifier.max_batch == 2


def test_while_nothing_changes_nothing_is_read(
    swaps: Swaps, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(swapping, "read_classifier", lambda *_: pytest.fail("it was read"))
    swaps.classifier.refresh()


def test_memory_is_given_back_when_the_last_batch_of_the_old_model_has_ended(
    swaps: Swaps, tiny: TinyRepository, trims: list[None], monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, may_end = threading.Event(), threading.Event()
    run = OnnxClassifier._run

    def slow(self: OnnxClassifier, crops: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        begun.set()
        assert may_end.wait(10)
        return run(self, crops)

    monkeypatch.setattr(OnnxClassifier, "_run", slow)
    batch = threading.Thread(target=swaps.classifier.classify, args=(CROPS,))
    batch.start()
    assert begun.wait(10)
    monkeypatch.setattr(OnnxClassifier, "_run", run)
    tiny.set_model(CLASSIFIER_NAME, classifier("new"), version=2)
    tiny.write()
    swaps.classifier.refresh()
    assert (swaps.version, trims) == ("new", [])
    may_end.set()
    batch.join()
    for _ in range(3):
        swaps.classifier.refresh()
    assert trims == [None]


def test_memory_of_a_refused_version_is_given_back(
    swaps: Swaps, tiny: TinyRepository, trims: list[None]
) -> None:
    tiny.set_model(CLASSIFIER_NAME, classifier(classes=8), version=2)
    tiny.write()
    for _ in range(3):
        swaps.classifier.refresh()
    assert trims == [None]


def test_giving_memory_back_works_here() -> None:
    swapping._trim()
