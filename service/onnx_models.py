"""The two model files in this process, on ONNX Runtime."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime

from emotion.contract import (
    CLASSIFIER_INPUT,
    CLASSIFIER_NAME,
    CLASSIFIER_OUTPUT,
    DETECTOR_INPUT,
    DETECTOR_NAME,
    DETECTOR_OUTPUTS,
    VERSION_KEY,
)
from emotion.detection import Floats
from emotion.errors import ContractMismatch
from emotion.faces import ModelVersion, Verdicts
from emotion.labels import EMOTIONS
from emotion.preprocessing import CROP_SIDE
from service.model_repository import RepositoryModel, check_labels, read_model

# A photo for the warm-up: black, of the most common shape.
_WARM_UP_PHOTO = (1, 480, 640, 3)


class OnnxFaceNetwork:
    """``emotion.detection.FaceNetwork`` on the repository's detector."""

    def __init__(self, repository: Path) -> None:
        """Load, check and warm up.

        Raises:
            ContractMismatch: the file is not the detector this code was built for.
        """
        model = read_model(repository, DETECTOR_NAME)
        self._session = _open(model)
        _check_tensors(self._session, DETECTOR_NAME, [DETECTOR_INPUT], [*DETECTOR_OUTPUTS])
        self(np.zeros(_WARM_UP_PHOTO, dtype=np.uint8))

    def __call__(self, images: npt.NDArray[np.uint8]) -> tuple[Floats, Floats, Floats]:
        """Return locations [n, p, 4], scores [n, p], landmarks [n, p, 10] for RGB [n, h, w, 3]."""
        locations, scores, landmarks = self._session.run(
            [*DETECTOR_OUTPUTS], {DETECTOR_INPUT: images}
        )
        return locations, scores, landmarks


class OnnxClassifier:
    """The repository's classifier: crops in, calibrated probabilities out."""

    def __init__(self, repository: Path, max_batch: int) -> None:
        """Load, check and warm up.

        Args:
            repository: the model repository.
            max_batch: most crops at once; the model's own limit holds if it is smaller.

        Raises:
            ContractMismatch: the file is not the classifier this code was built for.
        """
        check_labels(repository, CLASSIFIER_NAME)
        model = read_model(repository, CLASSIFIER_NAME)
        self._session = _open(model)
        _check_tensors(self._session, CLASSIFIER_NAME, [CLASSIFIER_INPUT], [CLASSIFIER_OUTPUT])
        self.max_batch = min(max_batch, model.max_batch_size or 1)
        self.version = ModelVersion(CLASSIFIER_NAME, _version_of(self._session))
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
        crops = np.zeros((1, 1, CROP_SIDE, CROP_SIDE), dtype=np.uint8)
        shape = self._run(crops).shape
        if shape != (1, len(EMOTIONS)):
            raise ContractMismatch(f"{CLASSIFIER_NAME}: answers with shape {shape}, not (1, 7).")


def check_models(repository: Path) -> ModelVersion:
    """Load both models once, so that a wrong file is told before any server starts.

    Returns:
        The classifier's version.

    Raises:
        ContractMismatch: a file is not what this code was built for.
    """
    OnnxFaceNetwork(repository)
    return OnnxClassifier(repository, max_batch=1).version


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


def _check_tensors(
    session: onnxruntime.InferenceSession, name: str, inputs: list[str], outputs: list[str]
) -> None:
    has_inputs = [tensor.name for tensor in session.get_inputs()]
    has_outputs = [tensor.name for tensor in session.get_outputs()]
    uint8 = all(tensor.type == "tensor(uint8)" for tensor in session.get_inputs())
    if has_inputs != inputs or sorted(has_outputs) != sorted(outputs) or not uint8:
        raise ContractMismatch(
            f"{name}: takes {has_inputs} and gives {has_outputs}; "
            f"expected {inputs} as uint8 and {outputs}."
        )


def _version_of(session: onnxruntime.InferenceSession) -> str:
    version: str | None = session.get_modelmeta().custom_metadata_map.get(VERSION_KEY)
    if not version:
        raise ContractMismatch(f"{CLASSIFIER_NAME}: its metadata has no {VERSION_KEY!r}.")
    return version
