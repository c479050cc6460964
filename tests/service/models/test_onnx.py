import math

import numpy as np
import pytest

from emotion.checksums import digest_of
from emotion.contract import CLASSIFIER_NAME
from emotion.errors import ContractMismatch
from emotion.faces import ModelVersion
from emotion.labels import EMOTIONS
from service.models.onnx import load_classifier, named_version
from service.models.repository import read_model
from service.settings import BUILT_IN_MODELS
from tests.service.tiny_models import TinyRepository, classifier, detector


def grey_crops(*levels: int) -> "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]":
    return np.stack([np.full((1, 48, 48), level, dtype=np.uint8) for level in levels])


def test_a_classifier_gives_each_crop_its_probabilities_and_its_own_name(
    tiny: TinyRepository,
) -> None:
    verdicts = load_classifier(tiny.write(), max_batch=32).classify(grey_crops(0, 255))
    assert verdicts.model == ModelVersion("emotion_classifier", "tiny")
    assert verdicts.probabilities.dtype == np.float32
    np.testing.assert_allclose(verdicts.probabilities[0], np.full(7, 1 / 7), rtol=1e-6)
    assert verdicts.probabilities[1].argmax() == 6


def test_more_crops_than_a_batch_holds_are_judged_in_parts_and_in_order(
    tiny: TinyRepository,
) -> None:
    model = load_classifier(tiny.write(), max_batch=2)
    levels = (0, 50, 100, 150, 200)
    each = [model.classify(grey_crops(level)).probabilities for level in levels]
    together = model.classify(grey_crops(*levels)).probabilities
    np.testing.assert_allclose(together, np.concatenate(each), rtol=1e-6)


def test_no_crops_are_no_rows_of_seven(tiny: TinyRepository) -> None:
    crops = np.empty((0, 1, 48, 48), dtype=np.uint8)
    assert load_classifier(tiny.write(), max_batch=2).classify(crops).probabilities.shape == (0, 7)


@pytest.mark.parametrize(("wanted", "given"), [(2, 2), (32, 4)])
def test_the_smaller_of_the_settings_and_the_models_batch_holds(
    wanted: int, given: int, tiny: TinyRepository
) -> None:
    assert load_classifier(tiny.write(), max_batch=wanted).max_batch == given


def test_the_runtime_gets_the_thread_counts_of_the_configuration(tiny: TinyRepository) -> None:
    options = load_classifier(tiny.write())._session.get_session_options()
    assert (options.intra_op_num_threads, options.inter_op_num_threads) == (3, 2)


def test_a_file_that_is_no_model_is_refused(tiny: TinyRepository) -> None:
    tiny.files[f"{CLASSIFIER_NAME}/1/model.onnx"] = b"not a model"
    with pytest.raises(ContractMismatch, match="emotion_classifier: ONNX Runtime can't load it"):
        load_classifier(tiny.write())


def test_the_built_in_classifier_is_what_the_code_was_built_for() -> None:
    load_classifier(BUILT_IN_MODELS)


def test_a_classifier_with_other_tensors_is_refused(tiny: TinyRepository) -> None:
    tiny.set_model(CLASSIFIER_NAME, detector())
    with pytest.raises(ContractMismatch, match="emotion_classifier: takes"):
        load_classifier(tiny.write(), max_batch=1)


def test_a_classifier_of_eight_classes_is_refused(tiny: TinyRepository) -> None:
    tiny.set_model(CLASSIFIER_NAME, classifier(classes=8))
    with pytest.raises(ContractMismatch, match=r"shape \(1, 8\), not \(1, 7\)"):
        load_classifier(tiny.write(), max_batch=1)


def test_a_classifier_without_a_version_is_refused(tiny: TinyRepository) -> None:
    tiny.set_model(CLASSIFIER_NAME, classifier(version=None))
    with pytest.raises(ContractMismatch, match="its metadata has no 'version'"):
        load_classifier(tiny.write(), max_batch=1)


@pytest.mark.parametrize("labels", [None, ("happy", "sad"), tuple(reversed(EMOTIONS))])
def test_a_classifier_with_other_labels_is_refused(
    labels: tuple[str, ...] | None, tiny: TinyRepository
) -> None:
    tiny.set_model(CLASSIFIER_NAME, classifier(labels=labels))
    with pytest.raises(ContractMismatch, match=r"the labels in its metadata, '.*', are not this"):
        load_classifier(tiny.write(), max_batch=1)


def test_a_classifier_of_single_crops_fails_its_warm_up(tiny: TinyRepository) -> None:
    tiny.set_model(CLASSIFIER_NAME, classifier(batch=1))
    with pytest.raises(ContractMismatch, match="emotion_classifier: fails its warm-up: "):
        load_classifier(tiny.write(), max_batch=2)


def test_a_classifier_that_answers_no_probabilities_is_refused(tiny: TinyRepository) -> None:
    tiny.set_model(CLASSIFIER_NAME, classifier(steepness=math.nan))
    with pytest.raises(ContractMismatch, match="what it answers are no probabilities"):
        load_classifier(tiny.write(), max_batch=2)


def test_a_model_file_names_its_version(tiny: TinyRepository) -> None:
    model = read_model(tiny.write(), CLASSIFIER_NAME)
    assert named_version(model) == "tiny"


def test_an_older_version_may_be_asked_for(tiny: TinyRepository) -> None:
    tiny.set_model(CLASSIFIER_NAME, classifier("new"), version=2)
    assert load_classifier(tiny.write(), 1).version.version == "tiny"


def test_a_classifier_says_what_it_was_made_from_and_does_not_hold_it(tiny: TinyRepository) -> None:
    tiny.set_model(CLASSIFIER_NAME, classifier("new"), version=2)
    source = load_classifier(tiny.write()).source
    assert (source.number, source.content) == (2, b"")
    assert source.digest == digest_of(tiny.files[f"{CLASSIFIER_NAME}/2/model.onnx"])


def test_the_built_in_classifier_is_deterministic_and_its_rows_add_up_to_one() -> None:
    model = load_classifier(BUILT_IN_MODELS, max_batch=8)
    crops = np.random.default_rng(7).integers(0, 256, (3, 1, 48, 48), dtype=np.uint8)
    first, again = (model.classify(crops).probabilities for _ in range(2))
    np.testing.assert_array_equal(first, again)
    np.testing.assert_allclose(first.sum(axis=1), 1, atol=1e-5)
