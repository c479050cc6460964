"""`rapt video` as people call it, with the real models."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from emotion.labels import EMOTIONS
from service.command_line import main
from tests.clips import greys, steady, walking, write_clip
from tests.service.tiny_models import TinyRepository, classifier


@pytest.fixture(scope="module")
def clip_bytes(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Two seconds of one swaying face."""
    path = tmp_path_factory.mktemp("clips") / "walk.mp4"
    return write_clip(path, walking(50), steady(25, 2)).read_bytes()


@pytest.fixture
def clip(clip_bytes: bytes, tmp_path: Path) -> Path:
    path = tmp_path / "walk.mp4"
    path.write_bytes(clip_bytes)
    return path


def video(*arguments: "str | Path") -> Result:
    result = CliRunner().invoke(main, ["video", *map(str, arguments)])
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result


def test_people_get_a_summary(clip: Path) -> None:
    result = video(clip)
    assert result.exit_code == 0
    assert result.stdout.startswith(f"{clip} (320 x 240, 0:02)\n")
    assert "0:00 to 0:01.5" in result.stdout
    assert "Audience: " in result.stdout
    assert any(emotion in result.stdout for emotion in EMOTIONS)


def test_a_video_without_a_face_is_told_so(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "wall.mp4", greys([90] * 10), steady(10, 1))
    result = video(path)
    assert (result.exit_code, result.stdout.splitlines()[1:]) == (0, ["No face found."])


def test_reports_of_several_forms_are_written(clip: Path, tmp_path: Path) -> None:
    targets = [tmp_path / f"out.{form}" for form in ("html", "json", "csv")]
    arguments = [part for target in targets for part in ("--report", target)]
    result = video(clip, "--interval", "0.2", *arguments)
    assert (result.exit_code, result.stdout.splitlines()) == (
        0,
        [f"Written to {target}" for target in targets],
    )
    content = json.loads(targets[1].read_text())
    assert [time for time, _ in content["timeline"]] == [
        0.0, 0.2, 0.4, 0.6, 0.8, 1.0, 1.2, 1.4, 1.6, 1.8,
    ]  # fmt: skip
    assert (len(content["faces"]), content["title"]) == (1, "walk.mp4")
    assert "walk.mp4" in targets[0].read_text()
    assert len(targets[2].read_text().splitlines()) == 11


def test_an_older_report_is_replaced_and_may_be_read_by_others(clip: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.JSON"
    target.write_text("old")
    assert video(clip, "--report", target).exit_code == 0
    assert json.loads(target.read_text())["form"] == 1
    assert target.stat().st_mode & 0o444 == 0o444 & ~_umask()
    assert sorted(one.name for one in tmp_path.iterdir()) == ["out.JSON", "walk.mp4"]


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


@pytest.mark.parametrize("old", ["old", None])
def test_a_report_goes_where_a_link_leads(old: str | None, clip: Path, tmp_path: Path) -> None:
    target, link = tmp_path / "reports" / "last.json", tmp_path / "out.json"
    target.parent.mkdir()
    if old:
        target.write_text(old)
    link.symlink_to(target)
    assert video(clip, "--report", link).exit_code == 0
    assert link.is_symlink()
    assert json.loads(target.read_text())["form"] == 1
    assert [one.name for one in target.parent.iterdir()] == ["last.json"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_device_that_takes_nothing_is_told(clip: Path, tmp_path: Path) -> None:
    link = tmp_path / "out.json"
    link.symlink_to("/dev/full")
    result = video(clip, "--report", link)
    assert (result.exit_code, result.stdout) == (1, "")
    assert f"The report can't be written to {link}: No space left on device." in result.stderr
    assert link.is_symlink()


def test_a_device_that_takes_all_gets_it(clip: Path, tmp_path: Path) -> None:
    link = tmp_path / "out.json"
    link.symlink_to(os.devnull)
    assert video(clip, "--report", link).exit_code == 0
    assert link.is_symlink()


def test_a_link_into_a_missing_folder_is_told_before_the_work(clip: Path, tmp_path: Path) -> None:
    link = tmp_path / "out.json"
    link.symlink_to(tmp_path / "none" / "out.json")
    result = video(clip, "--report", link)
    assert result.exit_code == 1
    assert f"{link}: there is no folder {tmp_path / 'none'}." in result.stderr


def test_links_in_a_circle_are_told(clip: Path, tmp_path: Path) -> None:
    link, other = tmp_path / "out.json", tmp_path / "other.json"
    link.symlink_to(other)
    other.symlink_to(link)
    result = video(clip, "--report", link)
    assert result.exit_code == 1
    assert f"The report can't be written to {link}: " in result.stderr
    assert link.is_symlink()


def test_a_name_that_is_too_long_is_told(clip: Path, tmp_path: Path) -> None:
    target = tmp_path / f"{'a' * 300}.json"
    result = video(clip, "--report", target)
    assert result.exit_code == 1
    assert f"The report can't be written to {target}: File name too long." in result.stderr


@pytest.mark.parametrize("name", ["out.pdf", "out", "html"])
def test_a_report_has_a_known_form(name: str, clip: Path, tmp_path: Path) -> None:
    result = video(clip, "--report", tmp_path / name)
    assert result.exit_code == 1
    assert "takes a file name that ends in .html, .json or .csv" in result.stderr


def test_a_missing_folder_is_told_before_the_work(clip: Path, tmp_path: Path) -> None:
    result = video(clip, "--report", tmp_path / "none" / "out.html")
    assert result.exit_code == 1
    assert f"there is no folder {tmp_path / 'none'}." in result.stderr


def test_the_video_itself_is_not_replaced(clip: Path, clip_bytes: bytes, tmp_path: Path) -> None:
    link = tmp_path / "out.html"
    link.symlink_to(clip)
    result = video(clip, "--report", link)
    assert result.exit_code == 1
    assert "would replace the video itself" in result.stderr
    assert clip.read_bytes() == clip_bytes


def test_a_bad_video_is_told_in_one_line(tmp_path: Path) -> None:
    text = tmp_path / "notes.mp4"
    text.write_text("just text")
    result = video(text)
    assert result.exit_code == 1
    assert result.stderr == (
        "Error: These bytes are no video of an accepted kind (MP4, MOV, WebM, MKV, AVI, MPEG-TS).\n"
    )


def test_a_pipe_is_no_video_and_not_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.mp4"
    os.mkfifo(pipe)
    result = video(pipe)
    assert (result.exit_code, result.stderr) == (1, f"Error: {pipe} is no regular file.\n")


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_a_file_name_that_is_no_utf_8_is_told_as_far_as_it_is(clip: Path, tmp_path: Path) -> None:
    file = clip.rename(tmp_path / os.fsdecode(b"f\xe9te.mp4"))
    target = tmp_path / "out.html"
    result = video(file, "--report", target)
    assert (result.exit_code, result.stderr) == (0, "")
    assert "<h1>f\ufffdte.mp4</h1>" in target.read_text(encoding="utf-8")


def test_an_interval_out_of_range_is_told(clip: Path) -> None:
    result = video(clip, "--interval", "0.01")
    assert result.exit_code == 2
    assert "0.04<=x<=60.0" in result.stderr


def test_a_damaged_model_is_passed_over_and_that_is_told(
    clip: Path, tmp_path: Path, tiny: TinyRepository
) -> None:
    tiny.folder = tmp_path / "home" / "models"
    tiny.files = {path: content for path, content in tiny.files.items() if "detector" not in path}
    tiny.set_model("emotion_classifier", classifier(classes=8), version=2)
    tiny.write()
    target = tmp_path / "out.json"
    result = video(clip, "--report", target)
    assert result.exit_code == 0
    assert json.loads(target.read_text())["model"]["version"] == "tiny"
    assert "emotion_classifier/2 is passed over" in result.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's /proc")
def test_ctrl_c_ends_it_and_leaves_nothing(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "long.mp4", greys([90] * 6000), steady(25, 240))
    command = [sys.executable, "-m", "service.command_line", "video", str(path)]
    process = subprocess.Popen(  # noqa: S603  # our own words
        [*command, "--interval", "0.04", "--report", str(tmp_path / "out.html")],
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=_heed_ctrl_c,  # noqa: PLW1509  # no threads run here
    )
    try:
        while not _holds(process.pid, path):
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    assert (process.returncode, told.strip()) == (1, "Aborted!")
    assert [one.name for one in tmp_path.iterdir()] == ["long.mp4"]


def _heed_ctrl_c() -> None:
    """Have it heed Ctrl-C, be it that these tests run in a shell's background, which don't."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _holds(process: int, path: Path) -> bool:
    """Say whether a process has a file open."""
    handles = Path(f"/proc/{process}/fd").iterdir()
    return str(path) in {os.path.realpath(handle) for handle in handles}
