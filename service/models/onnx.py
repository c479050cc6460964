"""The emotion classifier in this process, on ONNX Runtime."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime

from emotion.contract import (
    CLASSIFIER_INPUT,
    CLASSIFIER_NAME,
    CLASSIFIER_OUTPUT,
    LABELS_KEY,
    VERSION_KEY,
)
from emotion.errors import ContractMismatch
from emotion.faces import ModelVersion, Verdicts
from emotion.labels import EMOTIONS
from emotion.preprocessing import CROP_SIDE
from service.models.repository import RepositoryModel, read_classifier

# More than one, so that a file of a fixed batch is found out.
_WARM_UP_CROPS = 2
_SUM_TOLERANCE = 1e-3


class OnnxClassifier:
    """A classifier: crops in, calibrated probabilities out.

    Attributes:
        max_batch: most crops at once.
        version: which model it is.
        source: what it was made from, without the content.
    """

    def __init__(self, model: RepositoryModel, max_batch: int = _WARM_UP_CROPS) -> None:
        """Open, check and warm up.

        Args:
            model: its file and configuration.
            max_batch: most crops at once; the model's own limit holds if it is smaller. The
                default is enough to see whether it is good.

        Raises:
            ContractMismatch: the file is not the classifier this code was built for.
        """
        self._session = _open(model)
        _check_tensors(self._session)
        self.max_batch = min(max_batch, model.max_batch_size or 1)
        self.version = ModelVersion(CLASSIFIER_NAME, _version_in(self._session, CLASSIFIER_NAME))
        self.source = replace(model, content=b"")
        _check_labels_in(self._session)
        self._warm_up()

    def classify(self, crops: npt.NDArray[np.uint8]) -> Verdicts:
        """Judge crops uint8 [n, 1, 48, 48], at most ``max_batch`` at a time; n may be 0."""
        parts = [
            self._run(crops[start : start + self.max_batch])
            for start in range(0, len(crops), self.max_batch)
        ]
        nothing = np.empty((0, len(EMOTIONS)), dtype=np.float32)
        return Verdicts(np.concatenate([nothing, *parts]), self.version)

    def _run(self, crops: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        (probabilities,) = self._session.run([CLASSIFIER_OUTPUT], {CLASSIFIER_INPUT: crops})
        result: npt.NDArray[np.float32] = probabilities
        return result

    def _warm_up(self) -> None:
        """Judge a few crops, and see that what comes out are probabilities."""
        crops = np.zeros((_WARM_UP_CROPS, 1, CROP_SIDE, CROP_SIDE), dtype=np.uint8)
        crops[1:] = 255
        try:
            result = self._run(crops[: self.max_batch])
        # ONNX Runtime raises classes of its own that share only this base.
        except Exception as error:
            raise ContractMismatch(f"{CLASSIFIER_NAME}: fails its warm-up: {error}") from error
        shape = (len(crops[: self.max_batch]), len(EMOTIONS))
        if result.shape != shape:
            raise ContractMismatch(
                f"{CLASSIFIER_NAME}: answers with shape {result.shape}, not {shape}."
            )
        if not np.allclose(result.sum(axis=1), 1, atol=_SUM_TOLERANCE) or (result < 0).any():
            raise ContractMismatch(f"{CLASSIFIER_NAME}: what it answers are no probabilities.")


def load_classifier(
    repository: Path, number: int | None = None, max_batch: int = _WARM_UP_CROPS
) -> OnnxClassifier:
    """Load, check and warm up a version of a repository's classifier; see ``OnnxClassifier``.

    Args:
        repository: where it lies.
        number: of its folder; None is the newest.
        max_batch: most crops at once.

    Raises:
        ContractMismatch: it is not the classifier this code was built for.
    """
    return OnnxClassifier(read_classifier(repository, number), max_batch)


def named_version(model: RepositoryModel) -> str:
    """Return the version that a model file says it is.

    Raises:
        ContractMismatch: it can't be loaded, or says none.
    """
    return _version_in(_open(model), model.name)


def _open(model: RepositoryModel) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = model.intra_op_threads
    options.inter_op_num_threads = model.inter_op_threads
    try:
        return onnxruntime.InferenceSession(
            model.content, options, providers=["CPUExecutionProvider"]
        )
    # ONNX Runtime raises classes of its own that share only this base.
    except Exception as error:
        raise ContractMismatch(f"{model.name}: ONNX Runtime can't load it: {error}") from error


def _check_tensors(session: onnxruntime.InferenceSession) -> None:
    inputs = [tensor.name for tensor in session.get_inputs()]
    outputs = [tensor.name for tensor in session.get_outputs()]
    uint8 = all(tensor.type == "tensor(uint8)" for tensor in session.get_inputs())
    if (inputs, outputs, uint8) != ([CLASSIFIER_INPUT], [CLASSIFIER_OUTPUT], True):
        raise ContractMismatch(
            f"{CLASSIFIER_NAME}: takes {inputs} and gives {outputs}; "
            f"expected {[CLASSIFIER_INPUT]} as uint8 and {[CLASSIFIER_OUTPUT]}."
        )


def _facts_in(session: onnxruntime.InferenceSession) -> dict[str, str]:
    facts: dict[str, str] = session.get_modelmeta().custom_metadata_map
    return facts


def _version_in(session: onnxruntime.InferenceSession, name: str) -> str:
    version = _facts_in(session).get(VERSION_KEY)
    if not version:
        raise ContractMismatch(f"{name}: its metadata has no {VERSION_KEY!r}.")
    return version


def _check_labels_in(session: onnxruntime.InferenceSession) -> None:
    labels = _facts_in(session).get(LABELS_KEY, "")
    if labels != ",".join(EMOTIONS):
        raise ContractMismatch(
            f"{CLASSIFIER_NAME}: the {LABELS_KEY} in its metadata, {labels!r}, are not this "
            "project's, in its order."
        )
