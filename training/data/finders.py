"""Who finds the faces while data is prepared: the detector that serves, or MTCNN beside it.

A finder may be called from several threads at once; each call computes on one.
"""

from importlib.metadata import version
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

from emotion.checksums import digest_of
from emotion.contract import DETECTOR_INPUT, DETECTOR_NAME, DETECTOR_OUTPUTS
from emotion.detection import DetectionSettings, FaceNetwork, Floats, detect, scale_to_side
from emotion.faces import Box, Detection, Landmarks
from emotion.image import RgbImage
from training.errors import ModelFileError
from training.onnx_session import open_session

# MTCNN cuts boxes out of the photo at whole pixels, rounded down, and places landmarks as if
# it hadn't. On mirrored WIDER FACE images a landmark's x and its mirror's add up to this much
# more than the width (standard error 0.06); a box's do so within a pixel.
_MTCNN_MIRROR_EXCESS = 1.2


class FaceFinder(Protocol):
    """Finds faces."""

    def __call__(self, image: RgbImage, settings: DetectionSettings) -> tuple[Detection, ...]:
        """Find the faces in a photo uint8 [height, width, 3], upright.

        Returns:
            Largest face first, in pixels of ``image`` (see ``emotion.faces``).
        """
        ...


class OnnxFaceNetwork:
    """``emotion.detection.FaceNetwork`` on a detector's model file, one thread."""

    def __init__(self, path: Path) -> None:
        """Open the file.

        Raises:
            ModelFileError: missing, or no ONNX.
        """
        try:
            content = path.read_bytes()
            self._session = open_session(content, threads=1)
        except OSError as error:
            raise ModelFileError(f"{path}: {error.strerror}") from error
        except ModelFileError as error:
            raise ModelFileError(f"{path}: {error}") from error
        self.digest = digest_of(content)

    def __call__(self, images: npt.NDArray[np.uint8]) -> tuple[Floats, Floats, Floats]:
        """Return locations [n, p, 4], scores [n, p], landmarks [n, p, 10] for RGB [n, h, w, 3]."""
        locations, scores, landmarks = self._session.run(
            [*DETECTOR_OUTPUTS], {DETECTOR_INPUT: images}
        )
        return locations, scores, landmarks


class RetinaFaceFinder:
    """RetinaFace, as ``emotion.detection`` serves it."""

    def __init__(self, network: FaceNetwork) -> None:
        """Take the opened model."""
        self._network = network

    def __call__(self, image: RgbImage, settings: DetectionSettings) -> tuple[Detection, ...]:
        """Find the faces; see ``FaceFinder``."""
        return detect(image, self._network, settings)


class MtcnnFinder:
    """MTCNN (Zhang et al. 2016) from facenet-pytorch, whose weights come with the package.

    It overlaps and scores boxes by rules of its own: of the settings only ``side`` and
    ``min_score`` hold. It sets torch to one thread, for the whole process.
    """

    def __init__(self, min_face: int = 20) -> None:
        """Load the three networks.

        Args:
            min_face: side of the smallest face looked for, in pixels of the scaled photo.
        """
        # Imported here: it brings torch, which takes seconds.
        import torch  # noqa: PLC0415
        from facenet_pytorch import MTCNN  # noqa: PLC0415

        torch.set_num_threads(1)
        self._network = MTCNN(keep_all=True, min_face_size=min_face, device=torch.device("cpu"))

    def __call__(self, image: RgbImage, settings: DetectionSettings) -> tuple[Detection, ...]:
        """Find the faces; see ``FaceFinder``."""
        seen = scale_to_side(image, settings.side)
        boxes, scores, points = self._network.detect(seen, landmarks=True)
        if boxes is None:
            return ()
        unit = np.array(image.shape[1::-1]) / np.array(seen.shape[1::-1])
        corners = np.asarray(boxes, dtype=np.float64).reshape(-1, 2, 2) * unit
        places = (np.asarray(points, dtype=np.float64) - _MTCNN_MIRROR_EXCESS / 2) * unit
        found = [
            _detection(corners[row], float(scores[row]), places[row])
            for row in range(len(corners))
            if scores[row] >= settings.min_score
        ]
        return tuple(sorted(found, key=lambda face: face.box.area, reverse=True))


def open_finder(detector: Literal["retinaface", "mtcnn"], repository: Path) -> FaceFinder:
    """Open a detector by its name in a data recipe.

    Args:
        detector: which.
        repository: the model repository; retinaface is read from it.

    Raises:
        ModelFileError: the repository has no detector.
    """
    if detector == "mtcnn":
        return MtcnnFinder()
    return RetinaFaceFinder(OnnxFaceNetwork(detector_file(repository)))


def identity_of(detector: Literal["retinaface", "mtcnn"], repository: Path) -> str:
    """Return what changes when a detector's answers may.

    Raises:
        ModelFileError: the repository has no detector.
    """
    if detector == "mtcnn":
        return f"facenet-pytorch {version('facenet-pytorch')}"
    path = detector_file(repository)
    try:
        return f"retinaface {digest_of(path.read_bytes())}"
    except OSError as error:
        raise ModelFileError(f"{path}: {error.strerror}") from error


def detector_file(repository: Path) -> Path:
    """Return where a model repository has its face detector."""
    return repository / DETECTOR_NAME / "1" / "model.onnx"


def _detection(
    corners: npt.NDArray[np.float64], score: float, places: npt.NDArray[np.float64]
) -> Detection:
    (left, top), (right, bottom) = corners.tolist()
    landmarks: Landmarks = tuple((x, y) for x, y in places.tolist())  # type: ignore[assignment]  # five of them, as the network gives
    return Detection(Box(left, top, right - left, bottom - top), score, landmarks)
