"""``python -m benchmarks.detectors``: what face detectors find, and what they cost.

RetinaFace MobileNet-0.25, which serves, and MTCNN (facenet-pytorch, smallest face 20 pixels),
which `prepare --detector mtcnn` offers. RetinaFace runs on ONNX Runtime, as in training, and on
OpenVINO, as it serves (bf16 where the processor has it), also held to f32. Recall on the WIDER
FACE sample at several sizes of the photo as the networks see it, with the score and overlap that
are shipped, and the processor time of a whole detection (scaling, network, boxes) on one thread,
in milliseconds.
"""

import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import click
import cv2
from tqdm import tqdm

from benchmarks.wider_face import LEVELS, DetectionScore, LabelledImage, read_sample, score_detector
from emotion.detection import DetectionSettings
from emotion.faces import Detection
from emotion.image import RgbImage
from service.models.openvino import OpenVinoFaceNetwork
from training.data.finders import (
    FaceFinder,
    MtcnnFinder,
    OnnxFaceNetwork,
    RetinaFaceFinder,
    detector_file,
)

_RETINAFACE_SIDES = (320, 640, 1024)
_COMPARED_SIDES = (640,)
_MTCNN_MIN_FACE = 20
_SAMPLE = Path("../shared/data/widerface")
_REPOSITORY = Path("model_repository")


@dataclass(frozen=True, slots=True)
class Measurement:
    """What a detector finds at one size, and its CPU time an image (median, milliseconds)."""

    detector: str
    side: int
    score: DetectionScore
    milliseconds: float


class TimedDetector:
    """Detects, and keeps the CPU time of each image in seconds, of all threads together."""

    def __init__(self, finder: FaceFinder, settings: DetectionSettings) -> None:
        """Time nothing yet."""
        self._finder = finder
        self._settings = settings
        self.seconds: list[float] = []

    def __call__(self, image: RgbImage) -> tuple[Detection, ...]:
        """Find the faces in an image."""
        before = time.process_time()
        faces = self._finder(image, self._settings)
        self.seconds.append(time.process_time() - before)
        return faces


def measure(
    folder: Path, name: str, finder: FaceFinder, settings: DetectionSettings
) -> Measurement:
    """Run a detector over the sample, images as large as the network is to see them."""
    detector = TimedDetector(finder, settings)
    score = score_detector(detector, _with_progress(folder, name, settings.side))
    return Measurement(name, settings.side, score, 1000 * statistics.median(detector.seconds))


def as_line(measurement: Measurement) -> str:
    """Return one row of the table."""
    score = measurement.score
    recall = "".join(f"{score.recall[level]:>8.3f}" for level in LEVELS)
    found = f"{score.detections:>12,}{score.unmatched:>11,}"
    name = f"{measurement.detector:<19}{measurement.side:>6}"
    return f"{name}{recall}{found}{measurement.milliseconds:>11.1f}"


def _with_progress(folder: Path, name: str, side: int) -> Iterator[LabelledImage]:
    total = sum(1 for _ in (folder / "images").iterdir())
    yield from tqdm(read_sample(folder, side), desc=f"{name} at {side}", total=total, unit="image")


@click.command()
@click.option(
    "--sample",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=_SAMPLE,
    show_default=True,
    help="The WIDER FACE sample: a folder with images/ and ground_truth.json.",
)
@click.option(
    "--repository",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=_REPOSITORY,
    show_default=True,
    help="The model repository with the detector.",
)
def main(sample: Path, repository: Path) -> None:
    """Print recall, detections and CPU time of RetinaFace at three sizes, and of MTCNN at one."""
    cv2.setNumThreads(1)
    shipped = DetectionSettings()
    served = RetinaFaceFinder(OpenVinoFaceNetwork(repository))
    exact = RetinaFaceFinder(OpenVinoFaceNetwork(repository, "f32"))
    trained = RetinaFaceFinder(OnnxFaceNetwork(detector_file(repository)))
    finders: list[tuple[str, FaceFinder, tuple[int, ...]]] = [
        ("retinaface, served", served, _RETINAFACE_SIDES),
        ("retinaface, f32", exact, _COMPARED_SIDES),
        ("retinaface, onnx", trained, _COMPARED_SIDES),
        ("mtcnn", MtcnnFinder(_MTCNN_MIN_FACE), _COMPARED_SIDES),
    ]
    levels = "".join(f"{level:>8}" for level in LEVELS)
    click.echo(f"{'detector':<19}{'side':>6}{levels}  detections  unmatched  median ms")
    for name, finder, sides in finders:
        for side in sides:
            click.echo(as_line(measure(sample, name, finder, replace(shipped, side=side))))


if __name__ == "__main__":
    main()
