from collections.abc import Callable
from pathlib import Path

import pytest

from emotion.contract import CLASSIFIER_NAME, DETECTOR_NAME
from emotion.errors import ContractMismatch
from emotion.faces import ModelVersion
from service.models.served import (
    Candidate,
    PassedOver,
    candidates,
    choose_classifier,
    choose_detector,
    find_classifier,
)
from tests.service.tiny_models import TinyRepository, classifier, detector

Damage = Callable[[TinyRepository, int], None]


@pytest.fixture
def built_in(tmp_path: Path) -> Path:
    repository = TinyRepository(tmp_path / "built-in")
    repository.set_model(CLASSIFIER_NAME, classifier("built in"))
    return repository.write()


@pytest.fixture
def pulled(tiny: TinyRepository) -> TinyRepository:
    """Versions 1 and 2, named so; and no detector."""
    for number in (1, 2):
        tiny.set_model(CLASSIFIER_NAME, classifier(str(number)), number)
    tiny.files = {
        path: content for path, content in tiny.files.items() if DETECTOR_NAME not in path
    }
    tiny.write()
    return tiny


def folder_of(repository: TinyRepository, number: int) -> Path:
    return repository.folder / CLASSIFIER_NAME / str(number)


def change(repository: TinyRepository, number: int) -> None:
    (folder_of(repository, number) / "model.onnx").write_bytes(b"changed")


def be_no_model(repository: TinyRepository, number: int) -> None:
    repository.files[f"{CLASSIFIER_NAME}/{number}/model.onnx"] = b"no model"
    repository.write()


def break_the_contract(repository: TinyRepository, number: int) -> None:
    repository.set_model(CLASSIFIER_NAME, classifier(classes=8), number)
    repository.write()


def lose_the_file(repository: TinyRepository, number: int) -> None:
    (folder_of(repository, number) / "model.onnx").unlink()


def test_what_was_pulled_comes_first_and_of_it_the_highest_number(
    pulled: TinyRepository, built_in: Path
) -> None:
    assert candidates([pulled.folder, built_in], CLASSIFIER_NAME) == [
        Candidate(pulled.folder, CLASSIFIER_NAME, 2),
        Candidate(pulled.folder, CLASSIFIER_NAME, 1),
        Candidate(built_in, CLASSIFIER_NAME, 1),
    ]


def test_the_first_one_is_served_where_it_is_good(pulled: TinyRepository, built_in: Path) -> None:
    served = choose_classifier([pulled.folder, built_in], max_batch=8)
    assert served.classifier.version.version == "2"
    assert served.classifier.max_batch == 4
    assert served.candidate.folder == folder_of(pulled, 2)
    assert served.passed_over == ()


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (change, "its SHA-256 is not the one listed in "),
        (be_no_model, "ONNX Runtime can't load it"),
        (break_the_contract, "answers with shape (2, 8), not (2, 7)"),
        (lose_the_file, "No such file or directory"),
    ],
)
def test_one_that_is_no_good_is_passed_over(
    damage: Damage, reason: str, pulled: TinyRepository, built_in: Path
) -> None:
    damage(pulled, 2)
    served = choose_classifier([pulled.folder, built_in], max_batch=8)
    assert served.classifier.version.version == "1"
    assert served.candidate.folder == folder_of(pulled, 1)
    (passed_over,) = served.passed_over
    assert passed_over.folder == folder_of(pulled, 2)
    assert reason in passed_over.reason


def test_where_none_that_was_pulled_is_good_the_built_in_one_is_served(
    pulled: TinyRepository, built_in: Path
) -> None:
    change(pulled, 1)
    change(pulled, 2)
    served = choose_classifier([pulled.folder, built_in], max_batch=8)
    assert served.classifier.version.version == "built in"
    assert [one.folder.name for one in served.passed_over] == ["2", "1"]


@pytest.mark.parametrize("file", ["config.pbtxt", "labels.txt"])
def test_what_all_pulled_ones_need_is_damaged(
    file: str, pulled: TinyRepository, built_in: Path
) -> None:
    (pulled.folder / CLASSIFIER_NAME / file).write_bytes(b"\xff\x00")
    served = choose_classifier([pulled.folder, built_in], max_batch=8)
    assert served.classifier.version.version == "built in"


def test_where_none_is_good_it_is_said_why(pulled: TinyRepository) -> None:
    change(pulled, 1)
    lose_the_file(pulled, 2)
    with pytest.raises(ContractMismatch) as refusal:
        choose_classifier([pulled.folder], max_batch=8)
    assert refusal.value.message == (
        f"No emotion_classifier in {pulled.folder} can be used: "
        f"{folder_of(pulled, 2)}/model.onnx: No such file or directory.; "
        f"{folder_of(pulled, 1)}/model.onnx: its SHA-256 is not the one listed in "
        f"{pulled.folder}/README.md. Take the file anew, by `rapt models pull` or "
        "`python -m training export`."
    )


def test_where_there_is_none_it_is_said_so(tmp_path: Path) -> None:
    places = [tmp_path / "one", tmp_path / "two"]
    with pytest.raises(ContractMismatch, match=rf"^No emotion_classifier in {places[0]} or "):
        choose_classifier(places, max_batch=8)
    with pytest.raises(ContractMismatch, match=rf"^No face_detector in .* or {places[1]}\.$"):
        choose_detector(places)


def test_a_pulled_classifier_works_with_the_built_in_detector(
    pulled: TinyRepository, built_in: Path
) -> None:
    places = [pulled.folder, built_in]
    assert choose_detector(places) == Candidate(built_in, DETECTOR_NAME, 1)


def test_a_detector_that_was_put_there_comes_first_even_if_it_is_no_good(
    pulled: TinyRepository, built_in: Path
) -> None:
    pulled.set_model(DETECTOR_NAME, detector(input_name="pixels"))
    places = [pulled.write(), built_in]
    assert choose_detector(places) == Candidate(pulled.folder, DETECTOR_NAME, 1)


def test_people_are_told_which_and_why(tmp_path: Path) -> None:
    assert str(PassedOver(tmp_path / "2", "It is damaged.")) == (
        f"{tmp_path}/2 is passed over: It is damaged."
    )


@pytest.mark.parametrize("version", ["built in", "1", "2"])
def test_the_version_that_work_began_with_is_found_served_or_not(
    pulled: TinyRepository, built_in: Path, version: str
) -> None:
    wanted = ModelVersion(CLASSIFIER_NAME, version)
    found = find_classifier([pulled.folder, built_in], wanted, max_batch=2)
    assert (found.version, found.max_batch) == (wanted, 2)


def test_a_version_that_is_not_there_any_more_is_told(
    pulled: TinyRepository, built_in: Path
) -> None:
    change(pulled, 2)
    with pytest.raises(
        ContractMismatch,
        match=r"^No emotion_classifier 2 in .* any more, and work began with it\.$",
    ):
        find_classifier([pulled.folder, built_in], ModelVersion(CLASSIFIER_NAME, "2"), max_batch=2)
