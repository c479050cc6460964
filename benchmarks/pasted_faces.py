"""``python -m benchmarks.pasted_faces``: accuracy from photo to class, not just on crops.

Each face of a FER2013 split is pasted, 64 to 240 pixels wide, somewhere on a 640x480 photo, and
the photo goes the whole way: encode, decode, detect, align, classify. The answer counts that is
given for the detection that covers the pasted face; a face that is not found counts as wrong.
Sizes, places and backgrounds are seeded. Beside it stands the accuracy on the faces themselves.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import cv2
import numpy as np
import numpy.typing as npt
import skimage.data
from tqdm import tqdm

from emotion.deadline import Deadline
from emotion.errors import RaptError
from emotion.faces import Box, PhotoAnswer
from emotion.image import RgbImage
from emotion.labels import EMOTIONS
from emotion.photo import PhotoPipeline
from service.models.served import choose_classifier
from service.settings import load_settings
from service.stages.inline import InlineClassifier, InlineDetector
from training.data.dataset import Split, as_served
from training.data.fer2013 import load_fer2013
from training.evaluation.metrics import standard_error

_WIDTH, _HEIGHT = 640, 480
_SMALLEST, _LARGEST = 64, 240
_JPEG_QUALITY = 92
_BATCH = 16
# Photos without people inside the scikit-image wheel, all free to use.
_PHOTOS = ("brick", "chelsea", "coffee", "grass", "gravel", "hubble_deep_field", "page", "rocket")
_DRAWN = 4
_DATA = Path("../shared/data/fer2013")


@dataclass(frozen=True, slots=True)
class PastedFace:
    """A photo with one face on it: its JPEG, where the face was pasted, and its label."""

    photo: bytes
    place: Box
    label: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the photos came to; counts of faces."""

    faces: int
    found: int
    right: int
    extra: int


def paste_faces(split: Split, seed: int = 0) -> Iterator[PastedFace]:
    """Yield a photo for each image of a split, the same ones each time."""
    generator = np.random.default_rng(seed)
    backgrounds = _backgrounds(generator)
    for image, label in zip(split.images, split.labels, strict=True):
        side = int(generator.integers(_SMALLEST, _LARGEST, endpoint=True))
        x = int(generator.integers(0, _WIDTH - side, endpoint=True))
        y = int(generator.integers(0, _HEIGHT - side, endpoint=True))
        photo = backgrounds[int(generator.integers(len(backgrounds)))].copy()
        face = cv2.resize(image, (side, side), interpolation=cv2.INTER_CUBIC)
        photo[y : y + side, x : x + side] = face[:, :, np.newaxis]
        bgr = cv2.cvtColor(photo, cv2.COLOR_RGB2BGR)
        encoded = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])[1]
        yield PastedFace(encoded.tobytes(), Box(x, y, side, side), int(label))


def judge(faces: list[PastedFace], answers: list[PhotoAnswer | RaptError]) -> Outcome:
    """Count the faces that were found, and those that were called by their label.

    Raises:
        RaptError: a photo could not be answered.
    """
    found = right = extra = 0
    for face, answer in zip(faces, answers, strict=True):
        if isinstance(answer, RaptError):
            raise answer
        hits = [one for one in answer.faces if _is_on(one.detection.box, face.place)]
        extra += len(answer.faces) - len(hits)
        if hits:
            found += 1
            surest = max(hits, key=lambda one: one.detection.score)
            right += surest.emotion == EMOTIONS[face.label]
    return Outcome(len(faces), found, right, extra)


def as_text(outcome: Outcome, face_accuracy: float) -> str:
    """Return the figures for people."""
    accuracy = outcome.right / outcome.faces
    error = standard_error(accuracy, outcome.faces)
    return "\n".join(
        [
            f"faces pasted             {outcome.faces:,}",
            f"found                    {outcome.found / outcome.faces:.2%}",
            f"accuracy, photo to class {accuracy:.2%} ± {error:.2%} (missed faces are wrong)",
            f"accuracy on the faces    {face_accuracy:.2%}",
            f"ratio                    {accuracy / face_accuracy:.1%}",
            f"other detections         {outcome.extra:,}",
        ]
    )


def _is_on(box: Box, place: Box) -> bool:
    """Tell whether a box's centre lies on the pasted face."""
    x, y = box.x + box.width / 2, box.y + box.height / 2
    return place.x <= x <= place.x + place.width and place.y <= y <= place.y + place.height


def _backgrounds(generator: np.random.Generator) -> list[RgbImage]:
    folder = Path(skimage.data.__file__).parent
    photos = []
    for name in _PHOTOS:
        (path,) = folder.glob(f"{name}.*")
        photo = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)
        assert photo is not None, path
        photos.append(cv2.resize(photo, (_WIDTH, _HEIGHT), interpolation=cv2.INTER_AREA))
    return [photo.astype(np.uint8, copy=False) for photo in (*photos, *_drawn(generator))]


def _drawn(generator: np.random.Generator) -> Iterator[npt.NDArray[np.uint8]]:
    """Draw soft clouds of colour, from wide to narrow."""
    for step in range(1, _DRAWN + 1):
        coarse = generator.integers(0, 256, (4 * step, 5 * step, 3), dtype=np.uint8)
        drawn = cv2.resize(coarse, (_WIDTH, _HEIGHT), interpolation=cv2.INTER_CUBIC)
        yield drawn.astype(np.uint8, copy=False)


def _answer_all(faces: list[PastedFace], pipeline: PhotoPipeline) -> list[PhotoAnswer | RaptError]:
    answers: list[PhotoAnswer | RaptError] = []
    with asyncio.Runner() as runner:
        for start in tqdm(range(0, len(faces), _BATCH), desc="photos", unit="batch"):
            photos = [face.photo for face in faces[start : start + _BATCH]]
            answers += runner.run(pipeline.analyse(photos, Deadline()))
    return answers


async def _face_accuracy(split: Split, classifier: InlineClassifier) -> float:
    verdicts = await classifier.classify(as_served(split)[:, np.newaxis], Deadline())
    return float(np.mean(verdicts.probabilities.argmax(axis=1) == split.labels))


@click.command()
@click.option("--data", type=click.Path(path_type=Path), default=_DATA, show_default=True)
@click.option("--faces", type=click.IntRange(min=1), help="How many, from the first.  [all]")
def main(data: Path, faces: int | None) -> None:
    """Print the accuracy from photo to class of the served models, on PublicTest's faces.

    It is set against that on the same faces as the service frames them, where --data was prepared
    (`python -m training prepare`), and as they were published otherwise.
    """
    split = load_fer2013(data).val.first(faces)
    settings = load_settings()
    model = choose_classifier(settings.model_repositories, settings.max_batch).classifier
    classifier = InlineClassifier(model, settings)
    pipeline = PhotoPipeline(InlineDetector(settings), classifier)
    pasted = list(paste_faces(split))
    outcome = judge(pasted, _answer_all(pasted, pipeline))
    click.echo(f"model {model.version.version}")
    click.echo(as_text(outcome, asyncio.run(_face_accuracy(split, classifier))))


if __name__ == "__main__":
    main()
