"""A data set drawn here, in the three forms FER2013 comes in, and a model trained on it."""

import math
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet
import pytest
import torch

from emotion.labels import EMOTIONS
from tests.training.smoke import fresh_mlflow, twice
from training.data.dataset import FERPLUS_CHOICES, Fer2013, Split
from training.data.fer2013 import load_fer2013
from training.experiment import QuantisationRecipe
from training.export.candidate import Candidate, package
from training.export.classifier import place_classifier
from training.fitting.checkpoint import RunFolder, best_weights
from training.fitting.fit import fit
from training.recipe import Recipe, Stage

__all__ = ["fresh_mlflow", "twice"]

USAGES = {"train": "Training", "val": "PublicTest", "test": "PrivateTest"}
README = f"""\
# Models

```
{"0" * 64}  face_detector/1/model.onnx
{"1" * 64}  emotion_classifier/1/model.onnx
```
"""


def draw_face(label: int, variant: int) -> npt.NDArray[np.uint8]:
    """Draw a face whose mouth bends with the label; the variant sets place and light."""
    image = np.full((48, 48), 40 + 5 * (variant % 20), dtype=np.uint8)
    x, y = 23 + variant % 3, 24 + variant // 3 % 3
    cv2.ellipse(image, (x, y), (15, 19), 0, 0, 360, 190, -1)
    for eye in (-6, 6):
        cv2.circle(image, (x + eye, y - 6), 2, 30, -1)
    bend = 2 + abs(label - 3)
    start = 180 if label < 3 else 0
    cv2.ellipse(image, (x, y + 9), (7, bend), 0, start, start + 180, 30, 1)
    return image


def draw_split(name: str, count: int, first_variant: int) -> Split:
    labels = np.arange(count) % len(EMOTIONS)
    images = [draw_face(int(label), first_variant + row) for row, label in enumerate(labels)]
    votes = np.zeros((count, len(FERPLUS_CHOICES)), dtype=np.uint8)
    votes[np.arange(count), labels] = 8
    votes[:, FERPLUS_CHOICES.index("unknown")] = 2
    return Split(name, np.stack(images), labels.astype(np.int64), votes)


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """The order of a sum, and so its last bits, depends on the number of threads."""
    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def one_thread_afterwards(one_thread: None) -> Iterator[None]:
    """Undo what a command did to this process."""
    yield
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def drawn() -> Fer2013:
    """28 / 14 / 14 drawn faces; the first two training images are copies of val and test."""
    train = draw_split("train", 28, first_variant=0)
    val = draw_split("val", 14, first_variant=100)
    test = draw_split("test", 14, first_variant=200)
    train.images[0], train.images[1] = val.images[3], test.images[5]
    return Fer2013(train, val, test)


@pytest.fixture(scope="session")
def parquet_folder(drawn: Fer2013, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("parquet")
    for split in (drawn.train, drawn.val, drawn.test):
        assert split.votes is not None
        columns: dict[str, object] = {
            "image": [cv2.imencode(".png", image)[1].tobytes() for image in split.images],
            "label": split.labels.astype(np.int8),
        }
        for column, choice in enumerate(FERPLUS_CHOICES):
            columns[f"votes_{choice}"] = split.votes[:, column]
        pyarrow.parquet.write_table(pa.table(columns), folder / f"{split.name}.parquet")
    return folder


@pytest.fixture(scope="session")
def csv_file(drawn: Fer2013, tmp_path_factory: pytest.TempPathFactory) -> Path:
    lines = ["emotion,pixels,Usage"]
    for split in (drawn.train, drawn.val, drawn.test):
        for image, label in zip(split.images, split.labels, strict=True):
            lines.append(f"{label},{' '.join(map(str, image.ravel()))},{USAGES[split.name]}")
    path = tmp_path_factory.mktemp("csv") / "fer2013.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def folder_tree(drawn: Fer2013, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Kaggle's own tree: val and test lie together in ``test/``."""
    tree = tmp_path_factory.mktemp("tree")
    for split in (drawn.train, drawn.val, drawn.test):
        for row, (image, label) in enumerate(zip(split.images, split.labels, strict=True)):
            folder = tree / ("train" if split.name == "train" else "test") / EMOTIONS[label].value
            folder.mkdir(parents=True, exist_ok=True)
            name = f"{USAGES[split.name]}_{row:04d}.png"
            (folder / name).write_bytes(cv2.imencode(".png", image)[1].tobytes())
    return tree


@pytest.fixture(scope="session")
def tiny_recipe() -> Recipe:
    """Two epochs of two batches; fp32, so that results are equal to the bit."""
    stages = (Stage(epochs=1, size=16), Stage(epochs=1, size=24))
    return Recipe(stages=stages, batch_size=8, precision="fp32", limit=16)


@pytest.fixture(scope="session")
def trained_run(
    drawn: Fer2013, tiny_recipe: Recipe, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The folder of a run that was never interrupted."""
    path = tmp_path_factory.mktemp("run")
    train = drawn.train.first(tiny_recipe.limit)
    folder = RunFolder(path, resume=False)
    assert len(list(fit(tiny_recipe, train, drawn.val, folder, torch.device("cpu")))) == 2
    return path


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A model repository with nothing but its README."""
    path = tmp_path / "model_repository"
    path.mkdir()
    (path / "README.md").write_text(README, encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def candidate(
    drawn: Fer2013, trained_run: Path, tmp_path_factory: pytest.TempPathFactory
) -> Candidate:
    """The candidate of ``trained_run``. Not to be written to."""
    recipe = QuantisationRecipe(images=16, most_lost=1.0)
    folder = tmp_path_factory.mktemp("candidate")
    return package(best_weights(trained_run), drawn, recipe, folder, smoothing=0.1)


@pytest.fixture(scope="session")
def exported(candidate: Candidate, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model repository with the fp32 classifier of ``trained_run``. Not to be written to."""
    path = tmp_path_factory.mktemp("exported")
    (path / "README.md").write_text(README, encoding="utf-8")
    place_classifier(candidate.variants["fp32"].read_bytes(), path)
    return path


@pytest.fixture(scope="session")
def shared_fer2013() -> Fer2013:
    """The real one, for tests that carry the marker ``shared_data``."""
    return load_fer2013(Path(__file__).parents[2] / ".." / "shared" / "data" / "fer2013")


@pytest.fixture(scope="session")
def uniform() -> float:
    """The cross-entropy of knowing nothing about seven classes, in nats."""
    return math.log(len(EMOTIONS))
