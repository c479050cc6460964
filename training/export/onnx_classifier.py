"""Runs an exported classifier over many crops: what is evaluated is the file that is served."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from emotion.contract import CLASSIFIER_INPUT, CLASSIFIER_OUTPUT, LABELS_KEY, VERSION_KEY
from emotion.labels import EMOTIONS
from training.errors import ModelFileError
from training.onnx_session import open_session

# A key of the model file's metadata, beside the contract's.
NAME_KEY = "name"

_BATCH = 64


class OnnxClassifier:
    """A classifier's model file, opened with ONNX Runtime on the CPU."""

    def __init__(self, model: bytes, threads: int) -> None:
        """Open the file's content and check that it keeps the contract.

        Args:
            model: content of the ONNX file.
            threads: CPU threads for one operation.

        Raises:
            ModelFileError: no ONNX, or not a classifier of ``emotion.contract``.
        """
        self._session = open_session(model, threads)
        self._check_contract()

    @property
    def metadata(self) -> Mapping[str, str]:
        """The file's own account of itself (ONNX ``metadata_props``)."""
        metadata: dict[str, str] = self._session.get_modelmeta().custom_metadata_map
        return metadata

    @property
    def version(self) -> str:
        """The model's version; empty if the file names none."""
        return self.metadata.get(VERSION_KEY, "")

    def answer(self, crops: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Return calibrated probabilities float32 [n, 7] for crops uint8 [n, 1, 48, 48]."""
        (probabilities,) = self._session.run([CLASSIFIER_OUTPUT], {CLASSIFIER_INPUT: crops})
        answer: npt.NDArray[np.float32] = probabilities
        return answer

    def answer_all(self, images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Go through images uint8 [n, 48, 48] batch by batch, with a progress bar."""
        starts = tqdm(range(0, len(images), _BATCH), desc="classifying", unit="batch")
        crops = images[:, np.newaxis]
        return np.concatenate([self.answer(crops[start : start + _BATCH]) for start in starts])

    def _check_contract(self) -> None:
        tensors = (self._session.get_inputs(), self._session.get_outputs())
        names = tuple([tensor.name for tensor in group] for group in tensors)
        if names != ([CLASSIFIER_INPUT], [CLASSIFIER_OUTPUT]):
            raise ModelFileError(
                f"takes {names[0]} and gives {names[1]}: not an emotion classifier"
            )
        labels = self.metadata.get(LABELS_KEY)
        if labels != ",".join(EMOTIONS):
            raise ModelFileError(f"answers in the order {labels}, not {','.join(EMOTIONS)}")


def open_classifier(path: Path, threads: int) -> OnnxClassifier:
    """Open a classifier's model file.

    Raises:
        ModelFileError: missing, no ONNX, or not a classifier of ``emotion.contract``.
    """
    try:
        return OnnxClassifier(path.read_bytes(), threads)
    except OSError as error:
        raise ModelFileError(f"{path}: {error.strerror}") from error
    except ModelFileError as error:
        raise ModelFileError(f"{path}: {error}") from error
