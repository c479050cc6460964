import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.pictures import astronaut, encode, gradient, png_bomb
from tests.training.data.fake_finder import FakeFinder
from training.data.conditions import LIMITS, Look
from training.data.dataset import Fer2013
from training.data.finders import FaceFinder, open_finder
from training.data.prepare import plan
from training.data.prepared import LeftOut, Row
from training.data.samples import Sample, fingerprint, read_samples
from training.errors import DatasetError
from training.experiment import DataRecipe


@pytest.fixture(scope="module")
def finder(model_repository: Path) -> FaceFinder:
    return open_finder("retinaface", model_repository)


def look_at(path: Path, content: bytes, finder: FaceFinder | None = None) -> Row | LeftOut:
    path.write_bytes(content)
    return Sample("train/happy/a.jpg", 3, path).look(finder or FakeFinder())


@pytest.mark.parametrize("form", ["parquet_folder", "csv_file"])
def test_table_gives_its_faces_in_order(
    form: str, drawn: Fer2013, request: pytest.FixtureRequest
) -> None:
    samples = read_samples(request.getfixturevalue(form), None)
    assert [len(samples[name]) for name in ("train", "val", "test")] == [28, 14, 14]
    assert [sample.label for sample in samples["val"]] == drawn.val.labels.tolist()
    assert samples["val"][3].name == "val 3"
    assert np.array_equal(np.asarray(samples["val"][3].content), drawn.val.images[3])


def test_only_parquet_gives_votes(drawn: Fer2013, parquet_folder: Path, csv_file: Path) -> None:
    assert drawn.test.votes is not None
    votes = read_samples(parquet_folder, None)["test"][5].votes
    assert votes is not None
    assert np.array_equal(votes, drawn.test.votes[5])
    assert read_samples(csv_file, None)["test"][5].votes is None


def test_what_the_very_same_saw_is_looked_at_by_nobody(
    prepared: Path, parquet_folder: Path, model_repository: Path
) -> None:
    recipe = DataRecipe(source=str(parquet_folder))
    seen_by = plan(recipe, prepared.parent, model_repository, None, None).seen_by
    (sample, *_), finder = read_samples(prepared, 1, seen_by)["val"], FakeFinder()
    row = sample.look(finder)
    assert isinstance(row, Row)
    assert (row.name, finder.seen) == ("val 0", [])
    assert not isinstance(read_samples(prepared, 1, "another")["val"][0].content, Look)
    assert not isinstance(read_samples(prepared, 1)["val"][0].content, Look)


def test_tree_gives_its_files(folder_tree: Path) -> None:
    samples = read_samples(folder_tree, None)
    assert len(samples["train"]) == 28
    assert samples["train"][0].name == "train/angry/Training_0000.png"
    assert samples["val"][0].name == "test/angry/PublicTest_0000.png"


@pytest.mark.parametrize("form", ["parquet_folder", "folder_tree"])
def test_limit_takes_the_first_of_each_split(form: str, request: pytest.FixtureRequest) -> None:
    source = request.getfixturevalue(form)
    everything, some = read_samples(source, None), read_samples(source, 3)
    assert {name: len(samples) for name, samples in some.items()} == {
        "train": 3, "val": 3, "test": 3,
    }  # fmt: skip
    assert [one.name for one in some["train"]] == [one.name for one in everything["train"][:3]]


def test_small_grey_file_is_a_face_framed_already(drawn: Fer2013, tmp_path: Path) -> None:
    content = cv2.imencode(".png", drawn.val.images[0])[1].tobytes()
    row = look_at(tmp_path / "a.png", content)
    assert isinstance(row, Row)
    assert np.array_equal(row.look.image, drawn.val.images[0])
    assert (row.name, row.label, row.look.faces) == ("train/happy/a.jpg", 3, 0)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "BMP", "HEIF"])
def test_photo_of_each_kind_gives_its_face(kind: str, tmp_path: Path, finder: FaceFinder) -> None:
    row = look_at(tmp_path / "photo", encode(astronaut(), kind), finder)
    assert isinstance(row, Row)
    assert row.look.faces == 1
    assert row.look.image.shape == (48, 48)


def test_photo_without_a_face_is_left_out(tmp_path: Path, finder: FaceFinder) -> None:
    out = look_at(tmp_path / "photo.png", encode(gradient(200, 100), "PNG"), finder)
    assert out == LeftOut("train/happy/a.jpg", "no face found")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "The photo is empty: 0 bytes arrived."),
        (b"GIF89a", "These bytes are no image of an accepted kind"),
        (b"\xff\xd8\xff\xe0", "The photo's header is truncated or corrupt"),
        (encode(gradient(200, 100), "JPEG")[:900], "truncated or corrupt"),
        (png_bomb(30_000), "far more than the 50,000,000 pixels accepted"),
    ],
)
def test_photo_that_cannot_be_decoded_is_left_out(
    content: bytes, reason: str, tmp_path: Path
) -> None:
    out = look_at(tmp_path / "photo", content)
    assert isinstance(out, LeftOut)
    assert reason in out.reason


def test_file_that_is_too_large_is_left_out_unread(tmp_path: Path) -> None:
    with (tmp_path / "huge.jpg").open("wb") as file:
        os.truncate(file.fileno(), LIMITS.max_bytes + 1)
    out = Sample("huge.jpg", 0, tmp_path / "huge.jpg").look(FakeFinder())
    assert out == LeftOut("huge.jpg", "larger than 20,971,520 bytes")


def test_file_that_cannot_be_read_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "folder.jpg").mkdir()
    out = Sample("folder.jpg", 0, tmp_path / "folder.jpg").look(FakeFinder())
    assert out == LeftOut("folder.jpg", "Is a directory")


@pytest.mark.parametrize("form", ["parquet_folder", "csv_file", "folder_tree"])
def test_fingerprint_is_the_same_twice(form: str, request: pytest.FixtureRequest) -> None:
    source = request.getfixturevalue(form)
    assert fingerprint(source) == fingerprint(source)
    assert len(fingerprint(source)) == 64


def test_fingerprint_tells_a_changed_table(csv_file: Path, tmp_path: Path) -> None:
    changed = tmp_path / "fer2013.csv"
    changed.write_bytes(csv_file.read_bytes().replace(b"1", b"2", 1))
    assert fingerprint(changed) != fingerprint(csv_file)


def test_fingerprint_tells_a_changed_tree(tmp_path: Path) -> None:
    for split in ("train", "val", "test"):
        (tmp_path / split / "happy").mkdir(parents=True)
    photo = tmp_path / "train" / "happy" / "a.jpg"
    photo.write_bytes(b"a")
    before = fingerprint(tmp_path)
    photo.write_bytes(b"ab")
    assert fingerprint(tmp_path) != before


@pytest.mark.parametrize("name", ["nothing", "nothing.csv"])
def test_source_that_is_not_there_is_an_error(name: str, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no FER2013 here"):
        fingerprint(tmp_path / name)
