"""Runs an exported classifier over many crops: what is evaluated is the file that is served."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from emotion.contract import CLASSIFIER_INPUT, CLASSIFIER_OUTPUT, LABELS_KEY, VERSION_KEY
from emotion.labels import EMOTIONS
from emotion.preprocessing import CROP_SIDE
from training.errors import ModelFileError
from training.onnx_session import RUN_ERRORS, open_session

# A key of the model file's metadata, beside the contract's.
NAME_KEY = "name"

_BATCH = 64
_SUM_TOLERANCE = 1e-3  # int8 rounds before the softmax, not after it
# Type and shape of a tensor, as ONNX Runtime names them; the batch is left out.
_TAKEN = ("tensor(uint8)", (1, CROP_SIDE, CROP_SIDE))
_GIVEN = ("tensor(float)", (len(EMOTIONS),))


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
        try:
            self._check_contract()
        except UnicodeDecodeError as error:
            raise ModelFileError(f"its names or labels are damaged: {error}") from error

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

    def check_answers(self) -> None:
        """Let it answer two crops, as it is not known from the file alone what comes out.

        Raises:
            ModelFileError: it can't answer, or not by probabilities of the emotions.
        """
        crops = np.zeros((2, 1, CROP_SIDE, CROP_SIDE), dtype=np.uint8)
        try:
            rows = self.answer(crops)
        except RUN_ERRORS as error:
            reason = " ".join(str(error).split())
            raise ModelFileError(f"can't answer: {reason}") from error
        if rows.shape != (len(crops), len(EMOTIONS)):
            raise ModelFileError(
                f"answers {len(crops)} crops in the shape {list(rows.shape)}, not "
                f"{[len(crops), len(EMOTIONS)]}"
            )
        if not np.allclose(rows.sum(axis=1), 1.0, atol=_SUM_TOLERANCE) or (rows < 0).any():
            raise ModelFileError(f"answers {rows[0].tolist()}: no probabilities")

    def _check_contract(self) -> None:
        (taken, given) = (self._session.get_inputs(), self._session.get_outputs())
        names = ([tensor.name for tensor in taken], [tensor.name for tensor in given])
        if names != ([CLASSIFIER_INPUT], [CLASSIFIER_OUTPUT]):
            raise ModelFileError(
                f"takes {names[0]} and gives {names[1]}: not an emotion classifier"
            )
        for tensor, wanted in ((taken[0], _TAKEN), (given[0], _GIVEN)):
            # The first is the batch: of any size, which ONNX Runtime shows by a name or None.
            batch, *rest = tensor.shape or [0]
            if (tensor.type, tuple(rest)) != wanted or isinstance(batch, int):
                raise ModelFileError(
                    f"has {tensor.name} as {tensor.type} {tensor.shape}, not {wanted[0]} "
                    f"{['batch', *wanted[1]]}: not an emotion classifier"
                )
        labels = self.metadata.get(LABELS_KEY)
        if labels != ",".join(EMOTIONS):
            raise ModelFileError(f"answers in the order {labels}, not {','.join(EMOTIONS)}")


def open_classifier(path: Path, threads: int) -> OnnxClassifier:
    """Open a classifier's model file, and let it answer once.

    Raises:
        ModelFileError: missing, no ONNX, or not a classifier of ``emotion.contract``.
    """
    try:
        classifier = OnnxClassifier(path.read_bytes(), threads)
        classifier.check_answers()
    except OSError as error:
        raise ModelFileError(f"{path}: {error.strerror}") from error
    except ModelFileError as error:
        raise ModelFileError(f"{path}: {error}") from error
    return classifier
