"""``python -m benchmarks.detectors``: what the face detector finds, and what it costs.

Recall on the WIDER FACE sample at several sizes of the photo as the network sees it, with the
score and overlap that are shipped, and the CPU time of a whole detection (scaling, network,
boxes) on one thread. RetinaFace MobileNet-0.25, November 2026, Zen 4, both cores busy:

    side    easy  medium    hard  detections  unmatched  median ms
     320   0.548   0.308   0.086         187         19        7.8
     640   0.795   0.670   0.282         613         62       28.5
    1024   0.837   0.786   0.487       1,084        126       71.7
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
from emotion.detection import DetectionSettings, FaceNetwork, detect
from emotion.faces import Detection
from emotion.image import RgbImage
from service.onnx_models import OnnxFaceNetwork

_SIDES = (320, 640, 1024)
_SAMPLE = Path("../shared/data/widerface")
_REPOSITORY = Path("model_repository")


@dataclass(frozen=True, slots=True)
class Measurement:
    """What a detector finds at one size, and its CPU time an image (median, milliseconds)."""

    side: int
    score: DetectionScore
    milliseconds: float


class TimedDetector:
    """Detects, and keeps the CPU time of each image in seconds."""

    def __init__(self, network: FaceNetwork, settings: DetectionSettings) -> None:
        """Time nothing yet."""
        self._network = network
        self._settings = settings
        self.seconds: list[float] = []

    def __call__(self, image: RgbImage) -> tuple[Detection, ...]:
        """Find the faces in an image."""
        before = time.thread_time()
        faces = detect(image, self._network, self._settings)
        self.seconds.append(time.thread_time() - before)
        return faces


def measure(folder: Path, network: FaceNetwork, settings: DetectionSettings) -> Measurement:
    """Run the detector over the sample, images as large as the network is to see them."""
    detector = TimedDetector(network, settings)
    score = score_detector(detector, _with_progress(folder, settings.side))
    return Measurement(settings.side, score, 1000 * statistics.median(detector.seconds))


def as_line(measurement: Measurement) -> str:
    """Return one row of the table."""
    score = measurement.score
    recall = "".join(f"{score.recall[level]:>8.3f}" for level in LEVELS)
    found = f"{score.detections:>12,}{score.unmatched:>11,}"
    return f"{measurement.side:>4}{recall}{found}{measurement.milliseconds:>11.1f}"


def _with_progress(folder: Path, side: int) -> Iterator[LabelledImage]:
    total = sum(1 for _ in (folder / "images").iterdir())
    yield from tqdm(read_sample(folder, side), desc=f"side {side}", total=total, unit="image")


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
    """Print recall, detections and CPU time of the served detector at 320, 640 and 1024 pixels."""
    cv2.setNumThreads(1)
    network = OnnxFaceNetwork(repository)
    shipped = DetectionSettings()
    levels = "".join(f"{level:>8}" for level in LEVELS)
    click.echo(f"side{levels}  detections  unmatched  median ms")
    for side in _SIDES:
        click.echo(as_line(measure(sample, network, replace(shipped, side=side))))


if __name__ == "__main__":
    main()
