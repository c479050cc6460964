import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from training.errors import RegistryError
from training.registry import databases
from training.registry.tracking import Tracker


@pytest.fixture
def silent_address() -> Iterator[str]:
    """Where a connection is made, and nobody says anything."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("mysql://me:secret@one/x", "MLflow at mysql://one/x needs a package that is not inst"),
        (
            "postgresql+no://me:secret@one/x",
            "MLflow at postgresql+no://one/x doesn't answer (Can't",
        ),
        (
            "postgresql://me:secret@127.0.0.1:9/x",
            "MLflow at postgresql://127.0.0.1:9/x doesn't answer (connection failed: ",
        ),
        ("sqlite:///", "MLFLOW_TRACKING_URI names no file: give sqlite:////PATH/mlflow.db, corr"),
        ("sqlite:////no/such/x.db", "/no/such: there is no such folder. Make it, correct MLFLOW_"),
    ],
)
def test_database_that_can_not_be_used_is_said_at_once_in_one_line(uri: str, message: str) -> None:
    with pytest.raises(RegistryError) as caught:
        Tracker(uri)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)


def test_file_that_is_no_database_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "passwords"
    file.write_text("no database, and longer than a header of one: " + "x" * 100)
    before = file.read_bytes()
    with pytest.raises(RegistryError, match=r"doesn't answer \(file is not a database\): "):
        Tracker(f"sqlite:///{file}")
    assert file.read_bytes() == before


def test_folder_of_a_database_is_made_below_the_home_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAPT_HOME", str(tmp_path / "home"))
    Tracker(f"sqlite:///{tmp_path / 'home' / 'mlflow' / 'mlflow.db'}").check()
    with pytest.raises(RegistryError, match=f"{tmp_path / 'other'}: there is no such folder"):
        Tracker(f"sqlite:///{tmp_path / 'other' / 'mlflow.db'}")
    assert [path.name for path in tmp_path.iterdir()] == ["home"]


def test_folder_that_can_not_be_made_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("RAPT_HOME", str(tmp_path))
    with pytest.raises(RegistryError, match=r"Not a directory. Set RAPT_HOME"):
        Tracker(f"sqlite:///{tmp_path / 'file' / 'mlflow' / 'mlflow.db'}")


def test_file_that_can_not_be_written_to_is_refused() -> None:
    # Nobody may make a file there, and root alone has to try to find that out.
    expected = "/proc can't be written to: mend that|unable to open database file"
    with pytest.raises(RegistryError, match=expected):
        Tracker("sqlite:////proc/mlflow.db")


def test_database_that_answers_nothing_is_given_up(
    silent_address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(databases, "_CONNECT_SECONDS", 2)
    with pytest.raises(RegistryError, match=r"doesn't answer \(connection timeout expired\): "):
        Tracker(f"postgresql://{silent_address}/x")


def test_address_may_have_a_time_limit_of_its_own(silent_address: str) -> None:
    with pytest.raises(RegistryError, match=r"doesn't answer \(connection timeout expired\): "):
        Tracker(f"postgresql://{silent_address}/x?connect_timeout=2")
