import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from training.data.dataset import Fer2013, Split, copies_in
from training.data.fer2013 import load_fer2013
from training.errors import DatasetError

SHARED = Path(__file__).parents[3] / ".." / "shared" / "data" / "fer2013"


def rows_of(split: Split) -> list[tuple[int, bytes]]:
    return sorted(
        (int(label), image.tobytes())
        for label, image in zip(split.labels, split.images, strict=True)
    )


def equal(one: Split, other: Split) -> bool:
    return np.array_equal(one.images, other.images) and np.array_equal(one.labels, other.labels)


@pytest.mark.parametrize("name", ["train", "val", "test"])
class TestForms:
    def test_parquet_gives_the_splits(
        self, name: str, drawn: Fer2013, parquet_folder: Path
    ) -> None:
        assert equal(getattr(load_fer2013(parquet_folder), name), getattr(drawn, name))

    def test_csv_gives_the_splits(self, name: str, drawn: Fer2013, csv_file: Path) -> None:
        assert equal(getattr(load_fer2013(csv_file), name), getattr(drawn, name))

    def test_folder_tree_gives_the_splits_sorted_by_emotion(
        self, name: str, drawn: Fer2013, folder_tree: Path
    ) -> None:
        split: Split = getattr(load_fer2013(folder_tree), name)
        assert rows_of(split) == rows_of(getattr(drawn, name))
        assert split.labels.tolist() == sorted(split.labels.tolist())


def test_folder_tree_with_a_folder_a_split_gives_the_same(
    drawn: Fer2013, folder_tree: Path, tmp_path: Path
) -> None:
    shutil.copytree(folder_tree, tmp_path, dirs_exist_ok=True)
    for file in (tmp_path / "test").rglob("PublicTest_*"):
        target = tmp_path / "val" / file.parent.name / file.name
        target.parent.mkdir(parents=True, exist_ok=True)
        file.rename(target)
    data = load_fer2013(tmp_path)
    assert rows_of(data.val) == rows_of(drawn.val)
    assert rows_of(data.test) == rows_of(drawn.test)


def test_only_parquet_has_votes(drawn: Fer2013, parquet_folder: Path, csv_file: Path) -> None:
    votes = load_fer2013(parquet_folder).test.votes
    assert votes is not None
    assert drawn.test.votes is not None
    assert np.array_equal(votes, drawn.test.votes)
    assert load_fer2013(csv_file).test.votes is None


def test_parquet_without_votes_has_none(parquet_folder: Path, tmp_path: Path) -> None:
    rewrite_parquet(parquet_folder, tmp_path, lambda table: table.select(["image", "label"]))
    assert load_fer2013(tmp_path).train.votes is None


def edit_csv(source: Path, folder: Path, line: int, edit: Callable[[str], str]) -> Path:
    lines = source.read_text(encoding="utf-8").splitlines()
    lines[line - 1] = edit(lines[line - 1])
    path = folder / "fer2013.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def replace_pixel(line: str, value: str) -> str:
    label, pixels, usage = line.split(",")
    return f"{label},{value} {pixels.split(' ', 1)[1]},{usage}"


def drop_pixel(line: str) -> str:
    label, pixels, usage = line.split(",")
    return f"{label},{pixels.split(' ', 1)[1]},{usage}"


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (drop_pixel, "line 4: 2303 pixels, not 2304"),
        (lambda line: replace_pixel(line, "256"), r"line 4: pixels from \d+ to 256, not 0 to 255"),
        (lambda line: replace_pixel(line, "-1"), r"line 4: pixels from -1 to \d+, not 0 to 255"),
        (lambda line: replace_pixel(line, "9" * 30), "line 4: a pixel is no number"),
        (lambda line: replace_pixel(line, "x"), "line 4: a pixel is no number"),
        (lambda line: "7" + line[1:], "train: labels run from 0 to 7, not 0 to 6"),
        (lambda line: "-1" + line[1:], "train: labels run from -1 to 6, not 0 to 6"),
        (lambda line: "happy" + line[1:], "a label is no whole number"),
        (lambda line: line[1:], "1 rows without a label"),
        (lambda line: line + ",more", "no table of comma-separated values"),
    ],
)
def test_csv_with_a_bad_line_is_refused(
    csv_file: Path, tmp_path: Path, edit: Callable[[str], str], message: str
) -> None:
    path = edit_csv(csv_file, tmp_path, 4, edit)
    with pytest.raises(DatasetError, match=message):
        load_fer2013(path)


def test_csv_without_a_column_is_refused(csv_file: Path, tmp_path: Path) -> None:
    path = edit_csv(csv_file, tmp_path, 1, lambda line: line.replace("Usage", "Split"))
    with pytest.raises(DatasetError, match="no column Usage"):
        load_fer2013(path)


def test_csv_without_rows_of_a_split_is_refused(csv_file: Path, tmp_path: Path) -> None:
    lines = csv_file.read_text(encoding="utf-8").splitlines()
    path = tmp_path / "fer2013.csv"
    path.write_text("\n".join(line for line in lines if "PublicTest" not in line))
    with pytest.raises(DatasetError, match="val: no images"):
        load_fer2013(path)


def rewrite_parquet(source: Path, folder: Path, edit: Callable[[pa.Table], pa.Table]) -> None:
    """Copy the data set with its training table changed."""
    shutil.copytree(source, folder, dirs_exist_ok=True)
    table = edit(pyarrow.parquet.read_table(source / "train.parquet"))
    pyarrow.parquet.write_table(table, folder / "train.parquet")


def test_parquet_without_a_column_is_refused(parquet_folder: Path, tmp_path: Path) -> None:
    rewrite_parquet(parquet_folder, tmp_path, lambda table: table.drop_columns(["label"]))
    with pytest.raises(DatasetError, match=r"train\.parquet: no column label"):
        load_fer2013(tmp_path)


@pytest.mark.parametrize("image", [b"no image", b"", None])
def test_parquet_with_an_undecodable_image_is_refused(
    parquet_folder: Path, tmp_path: Path, image: bytes | None
) -> None:
    def spoil(table: pa.Table) -> pa.Table:
        images = table["image"].to_pylist()
        images[2] = image
        return table.set_column(0, "image", pa.array(images, pa.binary()))

    rewrite_parquet(parquet_folder, tmp_path, spoil)
    with pytest.raises(DatasetError, match="row 2: not a 48x48 image"):
        load_fer2013(tmp_path)


def test_missing_parquet_file_is_refused(parquet_folder: Path, tmp_path: Path) -> None:
    shutil.copy(parquet_folder / "train.parquet", tmp_path)
    with pytest.raises(DatasetError, match=r"val\.parquet: can't be read"):
        load_fer2013(tmp_path)


def test_file_that_is_no_parquet_is_refused(tmp_path: Path) -> None:
    (tmp_path / "train.parquet").write_bytes(b"PAR2")
    with pytest.raises(DatasetError, match=r"train\.parquet: can't be read"):
        load_fer2013(tmp_path)


def test_folder_tree_with_an_eighth_emotion_is_refused(folder_tree: Path, tmp_path: Path) -> None:
    shutil.copytree(folder_tree, tmp_path, dirs_exist_ok=True)
    (tmp_path / "train" / "contempt").mkdir()
    with pytest.raises(DatasetError, match="train: contempt: not one of angry, disgust"):
        load_fer2013(tmp_path)


def test_hidden_files_of_a_folder_tree_are_passed_over(folder_tree: Path, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    shutil.copytree(folder_tree, tree)
    (tree / "train" / ".DS_Store").touch()
    assert len(load_fer2013(tree).train) == len(load_fer2013(folder_tree).train)


def test_folder_tree_without_a_split_is_refused(folder_tree: Path, tmp_path: Path) -> None:
    shutil.copytree(folder_tree / "train", tmp_path / "train")
    with pytest.raises(DatasetError, match="test: missing"):
        load_fer2013(tmp_path)


@pytest.mark.parametrize("name", ["nothing", "nothing.csv"])
def test_path_without_a_known_form_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(DatasetError, match="no FER2013 here"):
        load_fer2013(tmp_path / name)


@pytest.mark.shared_data
def test_shipped_splits_have_their_published_sizes(shared_fer2013: Fer2013) -> None:
    data = shared_fer2013
    assert (len(data.train), len(data.val), len(data.test)) == (28709, 3589, 3589)


@pytest.mark.shared_data
@pytest.mark.parametrize("name", ["val", "test"])
def test_copies_are_those_the_shipped_column_names(shared_fer2013: Fer2013, name: str) -> None:
    table = pyarrow.parquet.read_table(SHARED / f"{name}.parquet", columns=["dup_of_train"])
    copies = copies_in(getattr(shared_fer2013, name), of=shared_fer2013.train)
    assert copies.tolist() == table["dup_of_train"].to_pylist()
