import json
import re
from base64 import b64decode
from html.parser import HTMLParser
from pathlib import Path

import cv2
import numpy as np
import pytest

from emotion.labels import EMOTIONS
from tests.training.data.fake_finder import FakeFinder
from training.data.prepared import LeftOut, left_out_of, write_split
from training.data.quality.page import write_report
from training.data.samples import read_samples
from training.errors import DatasetError

ABOUT = {"source": "s3://faces/<b>fer</b>", "face detector": "retinaface"}


class Page(HTMLParser):
    """Collects a page's headings, pictures and links to elsewhere."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.pictures: list[str] = []
        self.words: list[str] = []
        self.elsewhere: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        facts = dict(attrs)
        if tag == "img":
            assert facts["alt"]
            self.pictures.append(facts["src"] or "")
        if tag in ("script", "link", "iframe"):
            self.elsewhere.append(tag)

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.words.append(" ".join(data.split()))


@pytest.fixture(scope="module")
def folder(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    for name in ("train", "val", "test"):
        (folder / f"{name}.parquet").write_bytes((prepared / f"{name}.parquet").read_bytes())
    write_report(folder, ABOUT)
    return folder


@pytest.fixture(scope="module")
def page(folder: Path) -> Page:
    return Page((folder / "report.html").read_text(encoding="utf-8"))


def test_page_needs_no_other_file(page: Page) -> None:
    assert page.elsewhere == []
    assert page.pictures
    assert [source[:40] for source in page.pictures if not source.startswith("data:image/")] == []


def test_every_picture_can_be_drawn(page: Page) -> None:
    for source in page.pictures:
        kind, content = re.fullmatch("data:([^;]+);base64,(.*)", source).groups()  # type: ignore[union-attr]  # or it fails
        if kind == "image/svg+xml":
            assert b"<svg" in b64decode(content)
        else:
            picture = cv2.imdecode(np.frombuffer(b64decode(content), np.uint8), -1)
            assert picture is not None
            assert picture.shape == (48, 48)


def test_page_has_a_part_for_each_question(page: Page) -> None:
    parts = (
        "Class balance", "Copies", "Conflicting labels", "Blank images", "Faces found",
        "Light and sharpness", "Head pose", "Mean faces", "Left out",
    )  # fmt: skip
    assert [part for part in parts if part not in page.words] == []


def test_page_says_where_the_data_comes_from_word_by_word(page: Page) -> None:
    assert "s3://faces/<b>fer</b>" in page.words


def test_page_and_figures_say_the_same(folder: Path, page: Page) -> None:
    facts = json.loads((folder / "report.json").read_text())
    assert facts["about"] == ABOUT
    assert facts["images"] == 56
    assert page.words[page.words.index("images") - 1] == "56"
    assert facts["splits"]["train"]["by_class"] == {emotion.value: 4 for emotion in EMOTIONS}


def test_same_data_gives_the_same_page(folder: Path) -> None:
    before = (folder / "report.html").read_bytes()
    write_report(folder, ABOUT)
    assert (folder / "report.html").read_bytes() == before


def test_what_was_left_out_is_listed(prepared: Path, tmp_path: Path) -> None:
    for name, samples in read_samples(prepared, None).items():
        rows = [sample.look(FakeFinder()) for sample in samples]
        left_out = [LeftOut("train/sad/<i>.jpg", "no face found")] if name == "train" else []
        looked = [one for one in rows if not isinstance(one, LeftOut)]
        write_split(tmp_path / f"{name}.parquet", looked, left_out, "one", set())
    assert left_out_of(tmp_path / "train.parquet")
    page = Page(write_report(tmp_path, ABOUT).read_text(encoding="utf-8"))
    assert "train/sad/<i>.jpg" in page.words
    assert "1 files are in no split." not in page.words
    assert "1 file is in no split." in page.words


def test_data_that_was_not_prepared_has_no_report(parquet_folder: Path) -> None:
    with pytest.raises(DatasetError, match="not prepared"):
        write_report(parquet_folder, ABOUT)
