"""`rapt photo` as people call it, with the real models."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from emotion.labels import EMOTIONS
from service.command_line import main
from tests.pictures import astronaut, encode
from tests.service.tiny_models import TinyRepository, classifier


@pytest.fixture(scope="session")
def face_jpeg() -> bytes:
    """A photo of one astronaut."""
    return encode(astronaut(), "JPEG")


@pytest.fixture
def face(face_jpeg: bytes, tmp_path: Path) -> Path:
    path = tmp_path / "face.jpg"
    path.write_bytes(face_jpeg)
    return path


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    path = tmp_path / "wall.png"
    path.write_bytes(encode(np.full((90, 120, 3), 128, dtype=np.uint8), "PNG"))
    return path


def photo(*arguments: "str | Path") -> Result:
    result = CliRunner().invoke(main, ["photo", *map(str, arguments)])
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result


def test_people_get_a_table(face: Path) -> None:
    result = photo(face)
    assert result.exit_code == 0
    assert result.stdout.startswith(f"{face} (512 x 512)\n")
    assert "confidence" in result.stdout
    assert any(emotion in result.stdout for emotion in EMOTIONS)


def test_a_photo_without_a_face_is_said_so(empty: Path) -> None:
    result = photo(empty)
    assert (result.exit_code, result.stdout) == (0, f"{empty} (120 x 90): no face found\n")


def test_programs_get_a_json_object_a_line(face: Path, empty: Path) -> None:
    result = photo("--json", face, empty)
    assert result.exit_code == 0
    one, none = (json.loads(line) for line in result.stdout.splitlines())
    assert list(one) == ["file", "image", "faces", "model"]
    assert (one["file"], one["image"]) == (str(face), {"width": 512, "height": 512})
    assert len(one["faces"]) == 1
    assert sum(one["faces"][0]["probabilities"].values()) == pytest.approx(1, abs=1e-3)
    assert (none["file"], none["faces"]) == (str(empty), [])


def test_the_same_photo_has_the_same_answer(face: Path) -> None:
    first, again = photo("--json", face, face).stdout.splitlines()
    assert first == again


def test_a_bad_photo_is_told_in_its_place_and_the_others_are_answered(
    face: Path, tmp_path: Path
) -> None:
    text = tmp_path / "notes.jpg"
    text.write_text("just text")
    result = photo("--json", text, face)
    assert result.exit_code == 1
    assert result.stderr.startswith(f"{text}: These bytes are no image")
    error, answer = (json.loads(line) for line in result.stdout.splitlines())
    assert list(error) == ["file", "error"]
    assert [error["file"], answer["file"]] == [str(text), str(face)]


def test_a_missing_file_is_told() -> None:
    result = photo("nowhere.jpg")
    assert result.exit_code == 2
    assert "'nowhere.jpg' does not exist" in result.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's /proc")
def test_a_file_that_cannot_be_read_is_told() -> None:
    result = photo("/proc/self/mem")
    assert result.exit_code == 1
    assert result.stderr == "/proc/self/mem: can't be read: Input/output error.\n"


def test_a_marked_copy_goes_to_a_file(face: Path, tmp_path: Path) -> None:
    out = tmp_path / "marked.jpg"
    assert photo("--annotate", out, face).exit_code == 0
    with Image.open(out) as marked:
        assert (marked.format, marked.size) == ("JPEG", (512, 512))


def test_marked_copies_go_to_a_folder(face: Path, empty: Path, tmp_path: Path) -> None:
    folder = tmp_path / "marked"
    folder.mkdir()
    assert photo("--annotate", folder, face, empty).exit_code == 0
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["face.marked.jpg", "wall.marked.jpg"]


def test_several_photos_need_a_folder(face: Path, empty: Path, tmp_path: Path) -> None:
    result = photo("--annotate", tmp_path / "out.jpg", face, empty)
    assert result.exit_code == 1
    assert "for several photos, --annotate takes an existing folder" in result.stderr


def test_two_photos_of_one_name_do_not_replace_each_others_copy(
    face: Path, face_jpeg: bytes, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    twin = tmp_path / "other" / "face.jpg"
    twin.write_bytes(face_jpeg)
    result = photo("--annotate", tmp_path, face, twin)
    assert result.exit_code == 1
    assert "two of the photos have one name" in result.stderr


def test_the_photo_itself_is_not_replaced(face: Path, face_jpeg: bytes) -> None:
    result = photo("--annotate", face, face)
    assert result.exit_code == 1
    assert "would replace the photo itself" in result.stderr
    assert face.read_bytes() == face_jpeg


def test_a_copy_that_cannot_be_written_is_told(face: Path, tmp_path: Path) -> None:
    out = tmp_path / "missing" / "out.jpg"
    result = photo("--json", "--annotate", out, face)
    assert result.exit_code == 1
    assert f"can't be written to {out}: No such file or directory." in result.stderr
    assert len(result.stdout.splitlines()) == 1


def test_a_files_name_is_not_read_as_markup(face_jpeg: bytes, tmp_path: Path) -> None:
    odd = tmp_path / "[bold]a[/red].jpg"
    odd.parent.mkdir()
    odd.write_bytes(face_jpeg)
    result = photo(odd)
    assert result.exit_code == 0
    assert result.stdout.startswith(f"{odd} (512 x 512)\n")


def test_a_wrong_setting_is_told_in_one_line(face: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAPT_MAX_BYTES", "much")
    result = photo(face)
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: RAPT_MAX_BYTES: ")
    assert result.stderr.count("\n") == 1


def test_a_model_that_does_not_fit_is_told(
    face: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "home" / "models" / "face_detector" / "1").mkdir(parents=True)
    result = photo(face)
    assert result.exit_code == 1
    assert "config.pbtxt: No such file or directory." in result.stderr


def test_a_damaged_model_is_passed_over_and_that_is_told(
    empty: Path, tmp_path: Path, tiny: TinyRepository
) -> None:
    tiny.folder = tmp_path / "home" / "models"
    tiny.files = {path: content for path, content in tiny.files.items() if "detector" not in path}
    tiny.set_model("emotion_classifier", classifier(classes=8), version=2)
    tiny.write()
    result = photo("--json", empty)
    assert result.exit_code == 0
    assert json.loads(result.stdout)["model"]["version"] == "tiny"
    assert result.stderr == (
        f"{tiny.folder}/emotion_classifier/2 is passed over: emotion_classifier: answers with "
        "shape (2, 8), not (2, 7).\n"
    )


@pytest.mark.parametrize("name", ["marked.gif", "marked", "marked.heic"])
def test_a_marked_photo_is_a_jpeg_and_is_called_so(name: str, face: Path, tmp_path: Path) -> None:
    result = photo("--annotate", tmp_path / name, face)
    assert result.exit_code == 1
    assert "ends in .jpg" in result.stderr
    assert not (tmp_path / name).exists()
