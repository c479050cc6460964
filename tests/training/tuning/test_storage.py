import threading
from pathlib import Path

import pytest

from tests.training.tuning.conftest import QUICK
from training.errors import TuningError
from training.tuning.storage import alone, opened_storage, storage_url


def test_default_is_a_sqlite_file_in_rapt_home() -> None:
    assert storage_url(None, Path("/home/rapt")) == "sqlite:////home/rapt/tuning/studies.db"


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_postgresql_is_reached_through_psycopg(scheme: str) -> None:
    url = storage_url(f"{scheme}://rapt:secret@db/studies", Path("/home/rapt"))
    assert url == "postgresql+psycopg://rapt:secret@db/studies"


def test_sqlite_file_is_taken_as_given() -> None:
    assert storage_url("sqlite:////tmp/a.db", Path("/home/rapt")) == "sqlite:////tmp/a.db"


@pytest.mark.parametrize(
    "given", ["mysql://me:secret@db/x", "sqlite:///", "sqlite:///:memory:", "studies.db"]
)
def test_other_storage_is_refused_without_its_password(given: str) -> None:
    with pytest.raises(TuningError, match="give sqlite:///FILE or postgresql://") as caught:
        storage_url(given, Path("/home/rapt"))
    assert "secret" not in str(caught.value)


def test_postgresql_that_does_not_answer_is_said_in_one_line_without_its_password() -> None:
    url = "postgresql+psycopg://rapt:secret@127.0.0.1:9/studies"
    with (
        pytest.raises(TuningError, match=r"storage postgresql\+psycopg://127\.0") as caught,
        opened_storage(url, QUICK, lambda _study, _trial: None),
    ):
        pass
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "studies.db").write_bytes(b"no database, " * 100)
    with (
        pytest.raises(TuningError, match="file is not a database"),
        opened_storage(f"sqlite:///{tmp_path / 'studies.db'}", QUICK, lambda _study, _trial: None),
    ):
        pass


def test_folder_that_can_not_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    url = f"sqlite:///{tmp_path / 'file' / 'tuning' / 'studies.db'}"
    with (
        pytest.raises(TuningError, match="Not a directory"),
        opened_storage(url, QUICK, lambda _study, _trial: None),
    ):
        pass


def assert_takes_turns(url: str) -> None:
    """A second holder comes in only when the first has left."""
    events: list[str] = []
    has_begun = threading.Event()

    def second() -> None:
        has_begun.set()
        with alone(url):
            events.append("second")

    thread = threading.Thread(target=second)
    with alone(url):
        thread.start()
        has_begun.wait()
        thread.join(0.3)
        events.append("first leaves")
    thread.join()
    assert events == ["first leaves", "second"]


def test_one_at_a_time_works_on_a_sqlite_storage(tmp_path: Path) -> None:
    assert_takes_turns(f"sqlite:///{tmp_path / 'studies.db'}")


def test_one_at_a_time_works_on_a_postgresql_storage(postgres: str) -> None:
    assert_takes_turns(storage_url(postgres, Path()))
