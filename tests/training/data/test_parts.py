import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from emotion.detection import DetectionSettings
from emotion.faces import Box, Detection
from emotion.image import RgbImage
from tests.conftest import PROJECT
from tests.training.data.fake_finder import FakeFinder
from training.data import parts
from training.data.parts import look_at_split, parts_folder
from training.data.samples import Sample

# With one face on each, an image is looked at once.
FACE = Detection(
    Box(80, 80, 160, 160), 0.9, ((120, 140), (190, 140), (160, 180), (130, 210), (185, 210))
)


class Interrupted(BaseException):
    """The process ends here."""


class InterruptedFinder(FakeFinder):
    """Ends the process at a call."""

    def __init__(self, call: int) -> None:
        super().__init__(FACE)
        self._call = call

    def __call__(self, image: RgbImage, settings: DetectionSettings) -> tuple[Detection, ...]:
        if len(self.seen) == self._call:
            raise Interrupted
        return super().__call__(image, settings)


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "PART_SAMPLES", 4)


@pytest.fixture
def samples(tmp_path: Path) -> list[Sample]:
    """Ten samples of two and a half parts; the third and the last are left out."""
    some = [Sample(f"train {n}", 3, np.full((48, 48), n, dtype=np.uint8)) for n in range(10)]
    some[2] = Sample("train 2", 3, tmp_path / "nowhere")
    some[9] = Sample("train 9", 3, tmp_path / "nowhere")
    return some


def test_all_is_seen_in_order(samples: list[Sample], tmp_path: Path) -> None:
    seen = look_at_split("train", samples, FakeFinder(), 3, tmp_path, "inputs")
    assert [row.name for row in seen.rows] == [f"train {n}" for n in (0, 1, 3, 4, 5, 6, 7, 8)]
    assert [int(row.look.image[0, 0]) for row in seen.rows] == [0, 1, 3, 4, 5, 6, 7, 8]
    assert [item.name for item in seen.left_out] == ["train 2", "train 9"]
    assert {path.name for path in parts_folder(tmp_path, "train").iterdir()} == {
        "0.parquet", "4.parquet", "8.parquet",
    }  # fmt: skip


def test_what_was_cut_off_goes_on_after_its_last_whole_part(
    samples: list[Sample], tmp_path: Path
) -> None:
    with pytest.raises(Interrupted):
        look_at_split("train", samples, InterruptedFinder(call=5), 1, tmp_path, "inputs")
    finder = FakeFinder(FACE)
    seen = look_at_split("train", samples, finder, 1, tmp_path, "inputs")
    assert len(finder.seen) == 5  # the last six, one of which can't be read
    assert [row.name for row in seen.rows] == [f"train {n}" for n in (0, 1, 3, 4, 5, 6, 7, 8)]


def test_parts_of_other_inputs_are_looked_at_again(samples: list[Sample], tmp_path: Path) -> None:
    look_at_split("train", samples, FakeFinder(), 1, tmp_path, "other")
    finder = FakeFinder(FACE)
    look_at_split("train", samples, finder, 1, tmp_path, "inputs")
    assert len(finder.seen) == 8


def test_part_of_which_everything_is_left_out_is_kept_too(tmp_path: Path) -> None:
    samples = [Sample(f"train {n}", 3, tmp_path / "nowhere") for n in range(5)]
    for _ in range(2):
        seen = look_at_split("train", samples, FakeFinder(), 1, tmp_path, "inputs")
        assert (len(seen.rows), len(seen.left_out)) == (0, 5)


def files_in(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != ".lock"}


@pytest.mark.soak
def test_killed_process_leaves_parts_and_what_comes_out_is_the_same_to_the_byte(
    slow_source: Path, tmp_path: Path
) -> None:
    code = (
        "from training.data import parts; parts.PART_SAMPLES = 40;"
        "from training.commands.main import main; main()"
    )
    words = [sys.executable, "-c", code, "prepare", "--threads", "1", "--data", str(slow_source)]
    environment = {**os.environ, "RAPT_HOME": str(tmp_path), "PYTHONPATH": str(PROJECT)}

    def began(folder: Path) -> "subprocess.Popen[str]":
        return subprocess.Popen(  # noqa: S603  # this very Python
            [*words, "--output", str(folder)], env=environment, stderr=subprocess.PIPE, text=True
        )

    folder, undisturbed = tmp_path / "killed", tmp_path / "undisturbed"
    second_part = folder / ".val.parts" / "40.parquet"
    with began(folder) as process:
        end = time.monotonic() + 60
        while not second_part.exists():
            assert process.poll() is None
            assert time.monotonic() < end
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
    assert not (folder / "val.parquet").exists()
    for place in (folder, undisturbed):
        with began(place) as process:
            assert process.wait(120) == 0
    assert files_in(folder) == files_in(undisturbed)
    assert {"train.parquet", "val.parquet", "test.parquet"} < files_in(folder).keys()
