"""Real locks on real files, held by this process and by others."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from emotion.errors import InvalidRequest
from service.data_folder import INSTALLATION, DataFolder

USED = r"is used by another Rapt\. End that one, or set RAPT_HOME to another folder\.$"


@contextmanager
def another(folder: Path, use: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process that uses a folder while the block runs."""
    code = (
        "import sys; from pathlib import Path; from service.data_folder import DataFolder\n"
        f"with DataFolder(Path(sys.argv[1])).{use}: print('in', flush=True); input()"
    )
    command = [sys.executable, "-c", code, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:  # noqa: S603  # our own words
        assert process.stdout is not None
        assert process.stdout.readline() == b"in\n"
        yield process
        process.kill()


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    return DataFolder(tmp_path / "data")


def test_two_installations_dont_share_a_folder(folder: DataFolder) -> None:
    with another(folder.path, "held()"):
        with pytest.raises(InvalidRequest, match=USED), folder.held():
            pass
        with pytest.raises(InvalidRequest, match=USED), folder.shared():
            pass


def test_an_installation_takes_no_folder_that_others_share(folder: DataFolder) -> None:
    with (
        another(folder.path, "shared()"),
        pytest.raises(InvalidRequest, match=USED),
        folder.held(),
    ):
        pass


def test_those_started_by_hand_share_a_folder(folder: DataFolder) -> None:
    with another(folder.path, "shared()"), folder.shared():
        pass


def test_who_was_started_by_the_installation_uses_its_folder(
    folder: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    with folder.held() as variables:
        monkeypatch.setenv(INSTALLATION, variables[INSTALLATION])
        with folder.shared():
            pass


def test_a_killed_holder_holds_no_more(folder: DataFolder) -> None:
    with another(folder.path, "held()") as process:
        process.kill()
        process.wait()
        with folder.held():
            pass


def test_workers_have_the_first_free_place(folder: DataFolder) -> None:
    with folder.place("") as first, folder.place("") as second:
        assert (first, second) == ("worker-1", "worker-2")
    with folder.place("") as first:
        assert first == "worker-1"


def test_places_may_be_named_for_the_machine(folder: DataFolder) -> None:
    with folder.place("", "web1") as first, folder.place("", "web1") as second:
        assert (first, second) == ("web1-1", "web1-2")


def test_a_name_is_one_workers(folder: DataFolder) -> None:
    with (
        folder.place("blue") as name,
        pytest.raises(InvalidRequest, match=r"^A worker named blue is running\."),
        folder.place("blue"),
    ):
        pass
    assert name == "blue"


def test_a_folder_that_cant_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "home").write_bytes(b"a file")
    folder = DataFolder(tmp_path / "home" / "jobs")
    expected = r"home/jobs can't be used: Not a directory\. Set RAPT_HOME to another folder\.$"
    with pytest.raises(InvalidRequest, match=expected), folder.held():
        pass


def test_the_folder_is_the_homes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("RAPT_HOME", str(tmp_path))
    assert DataFolder.of_home().path == tmp_path / "jobs"
    monkeypatch.setenv("RAPT_HOME", "")
    assert DataFolder.of_home().path == Path("~/.rapt/jobs").expanduser()


def test_a_folder_that_is_made_is_for_nobody_else_to_read(folder: DataFolder) -> None:
    with folder.held():
        assert folder.path.stat().st_mode & 0o777 == 0o700
