import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow.parquet
import pytest

from tests.conftest import PROJECT
from tests.pictures import astronaut, encode, gradient
from training.data.dataset import Fer2013, Split
from training.data.fer2013 import load_fer2013
from training.data.prepare import folder_of, plan, prepare
from training.errors import DatasetError, ModelFileError
from training.experiment import DataRecipe

SPLITS = ("train", "val", "test")


def times_in(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}


def put_photos(folder: Path) -> DataRecipe:
    """A tree of photos: one good a split, and in train one without a face and a broken one."""
    good = {
        name: encode(astronaut()[::1, :: -1 if name == "val" else 1], "JPEG") for name in SPLITS
    }
    for name, content in good.items():
        place = folder / name / "happy"
        place.mkdir(parents=True)
        (place / "her.jpg").write_bytes(content)
    (folder / "train" / "sad").mkdir()
    (folder / "train" / "sad" / "nobody.png").write_bytes(encode(gradient(99, 60), "PNG"))
    (folder / "train" / "sad" / "broken.webp").write_bytes(b"no photo")
    return DataRecipe(source=str(folder))


@pytest.mark.parametrize("name", SPLITS)
def test_prepared_images_labels_and_votes_are_those_of_the_source(
    name: str, drawn: Fer2013, prepared: Path
) -> None:
    split: Split = getattr(load_fer2013(prepared), name)
    source: Split = getattr(drawn, name)
    assert np.array_equal(split.images, source.images)
    assert np.array_equal(split.labels, source.labels)
    assert split.votes is not None
    assert source.votes is not None
    assert np.array_equal(split.votes, source.votes)


def test_prepared_data_has_aligned_faces_and_conditions(prepared: Path) -> None:
    split = load_fer2013(prepared).val
    assert split.aligned is not None
    assert split.aligned.shape == (14, 48, 48)
    assert split.conditions is not None
    means = split.images.mean(axis=(1, 2))
    assert split.conditions.brightness == pytest.approx(means, abs=1e-3)
    unseen = np.isnan(split.conditions.score)
    assert np.array_equal(split.aligned[unseen], split.images[unseen])


def test_source_itself_has_neither(parquet_folder: Path) -> None:
    split = load_fer2013(parquet_folder).val
    assert (split.aligned, split.conditions) == (None, None)


def test_copies_of_training_images_are_marked(prepared: Path) -> None:
    marks = {
        name: pyarrow.parquet.read_table(prepared / f"{name}.parquet")["copy_of_train"]
        for name in SPLITS
    }
    where = {name: np.flatnonzero(marks[name].to_numpy()).tolist() for name in SPLITS}
    assert where == {"train": [], "val": [3], "test": [5]}


def test_folder_holds_the_data_the_report_and_a_manifest(prepared: Path) -> None:
    names = {"train.parquet", "val.parquet", "test.parquet"}
    assert set(times_in(prepared)) == names | {
        ".lock", "report.html", "report.json", "manifest.json",
    }  # fmt: skip


def test_prepared_twice_is_done_once(
    prepared: Path, parquet_folder: Path, model_repository: Path
) -> None:
    before = times_in(prepared)
    recipe = DataRecipe(source=str(parquet_folder))
    # None of no threads could look at a face.
    assert prepare(recipe, prepared.parents[1], 0, model_repository) == prepared
    assert times_in(prepared) == before


def test_lost_report_is_written_again_and_nothing_else(
    prepared: Path, parquet_folder: Path, model_repository: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(prepared, tmp_path / "copy"))
    before = times_in(folder)
    (folder / "report.html").unlink()
    prepare(DataRecipe(source=str(parquet_folder)), tmp_path, 2, model_repository, folder=folder)
    after = times_in(folder)
    assert [before[f"{name}.parquet"] == after[f"{name}.parquet"] for name in SPLITS] == [True] * 3
    original = (prepared / "report.html").read_bytes()
    assert (folder / "report.html").read_bytes() == original


def test_fingerprint_is_that_of_images_and_labels(
    prepared: Path, csv_file: Path, model_repository: Path, tmp_path: Path
) -> None:
    again = prepare(DataRecipe(source=str(csv_file)), tmp_path, 1, model_repository)
    manifests = [json.loads((path / "manifest.json").read_text()) for path in (prepared, again)]
    assert manifests[0]["fingerprint"] == manifests[1]["fingerprint"]
    assert manifests[0]["inputs"] != manifests[1]["inputs"]


def columns_of(folder: Path, name: str, limit: int | None = None) -> dict[str, str]:
    """Return a split's columns as texts, since NaN equals nothing."""
    table = pyarrow.parquet.read_table(folder / f"{name}.parquet").slice(0, limit)
    return {key: repr(values) for key, values in table.to_pydict().items()}


@pytest.mark.parametrize("limit", [None, 4])
def test_what_the_same_detector_saw_is_taken_from_prepared_data_as_it_is(
    limit: int | None, prepared: Path, model_repository: Path, tmp_path: Path
) -> None:
    again = prepare(DataRecipe(source=str(prepared)), tmp_path, 1, model_repository, limit)
    for name in SPLITS:
        taken, expected = columns_of(again, name), columns_of(prepared, name, limit)
        for columns in (taken, expected):
            columns.pop("copy_of_train")  # of those that are taken, none may be
        assert taken == expected


def test_photos_that_were_prepared_are_not_cut_out_again(
    model_repository: Path, tmp_path: Path
) -> None:
    folder = prepare(put_photos(tmp_path / "photos"), tmp_path, 1, model_repository)
    again = prepare(DataRecipe(source=str(folder)), tmp_path, 1, model_repository)
    assert again != folder
    for name in SPLITS:
        assert columns_of(again, name) == columns_of(folder, name)


def test_limited_data_is_another(
    parquet_folder: Path, model_repository: Path, tmp_path: Path
) -> None:
    recipe = DataRecipe(source=str(parquet_folder))
    folder = prepare(recipe, tmp_path, 2, model_repository, limit=4)
    data = load_fer2013(folder)
    assert [len(split) for split in (data.train, data.val, data.test)] == [4, 4, 4]
    assert folder != folder_of(recipe, tmp_path, None)


def test_default_data_lives_under_its_own_name(tmp_path: Path) -> None:
    assert folder_of(DataRecipe(), tmp_path, None) == tmp_path / "data" / "default"


def test_other_data_lives_under_source_and_detector(tmp_path: Path) -> None:
    recipe = DataRecipe(source="s3://faces/my fer/", detector="mtcnn")
    assert folder_of(recipe, tmp_path, 16).name == "my-fer-mtcnn-first16-f18e6b93"
    assert folder_of(DataRecipe(source="/"), tmp_path, None).name.startswith("data-retinaface-")


def test_detector_and_limit_change_what_is_prepared(
    parquet_folder: Path, model_repository: Path, tmp_path: Path
) -> None:
    recipe = DataRecipe(source=str(parquet_folder))
    mtcnn = recipe.model_copy(update={"detector": "mtcnn"})
    inputs = {
        plan(one, tmp_path, model_repository, limit, None).inputs
        for one in (recipe, mtcnn)
        for limit in (None, 2)
    }
    assert len(inputs) == 4


def test_photos_are_cut_out_and_the_rest_is_listed(model_repository: Path, tmp_path: Path) -> None:
    recipe = put_photos(tmp_path / "photos")
    folder = prepare(recipe, tmp_path, 1, model_repository)
    data = load_fer2013(folder)
    assert [split.labels.tolist() for split in (data.train, data.val, data.test)] == [[3]] * 3
    report = json.loads((folder / "report.json").read_text())
    assert report["splits"]["train"]["left_out"] == [
        {
            "name": "train/sad/broken.webp",
            "reason": "These bytes are no image of an accepted kind "
            "(JPEG, PNG, WebP, BMP, TIFF, HEIC).",
        },
        {"name": "train/sad/nobody.png", "reason": "no face found"},
    ]


def test_photos_may_be_looked_at_by_mtcnn(model_repository: Path, tmp_path: Path) -> None:
    recipe = put_photos(tmp_path / "photos").model_copy(update={"detector": "mtcnn"})
    served, other = (
        load_fer2013(prepare(one, tmp_path, 1, model_repository)).train
        for one in (recipe.model_copy(update={"detector": "retinaface"}), recipe)
    )
    assert served.conditions is not None
    assert other.conditions is not None
    assert served.conditions.score != other.conditions.score
    # The same face, framed by other eyes.
    assert np.corrcoef(served.images.ravel(), other.images.ravel())[0, 1] > 0.8


def test_split_without_a_face_is_an_error(model_repository: Path, tmp_path: Path) -> None:
    recipe = put_photos(tmp_path / "photos")
    (tmp_path / "photos" / "val" / "happy" / "her.jpg").write_bytes(encode(gradient(9, 9), "PNG"))
    with pytest.raises(DatasetError, match="val: not one image shows a face"):
        prepare(recipe, tmp_path, 1, model_repository)


def test_missing_source_or_detector_is_an_error(
    parquet_folder: Path, model_repository: Path, tmp_path: Path
) -> None:
    with pytest.raises(DatasetError, match="nowhere: no FER2013 here"):
        prepare(DataRecipe(source="nowhere"), tmp_path, 1, model_repository)
    with pytest.raises(ModelFileError, match="No such file"):
        prepare(DataRecipe(source=str(parquet_folder)), tmp_path, 1, tmp_path)


@pytest.mark.soak
def test_killed_process_leaves_whole_splits_that_are_not_done_again(
    slow_source: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "prepared"
    words = [sys.executable, "-m", "training", "prepare", "--threads", "1"]
    words += ["--data", str(slow_source), "--output", str(folder)]
    environment = {**os.environ, "RAPT_HOME": str(tmp_path)}
    with subprocess.Popen(  # noqa: S603  # this very Python
        words, cwd=PROJECT, env=environment, stderr=subprocess.DEVNULL
    ) as process:
        end = time.monotonic() + 60
        while not (folder / "train.parquet").exists():
            assert process.poll() is None
            assert time.monotonic() < end
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
    assert not (folder / "val.parquet").exists()
    assert not (folder / "manifest.json").exists()
    before = times_in(folder)["train.parquet"]

    answer = subprocess.run(  # noqa: S603  # this very Python
        words, cwd=PROJECT, env=environment, capture_output=True, text=True, check=True
    )

    assert answer.stdout == f"{folder}\n"
    assert "looking at val" in answer.stderr
    assert "looking at train" not in answer.stderr
    assert times_in(folder)["train.parquet"] == before
    assert len(load_fer2013(folder).val) == 150
