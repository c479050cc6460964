"""A worker, and `rapt check`, that can't use the database or the bucket: said in a sentence."""

import subprocess
import sys
import uuid

import pytest
from click.testing import CliRunner

from service.command_line import main
from service.jobs.job import LOCAL, Kind
from service.settings import Settings
from tests.postgres_server import GUARDED, PostgresServer
from tests.s3_server import JOBS_BUCKET
from tests.service.jobs.workers import office, worker

pytestmark = pytest.mark.parametrize("kept", ["remote"], indirect=True)


def worker_says(**variables: str) -> list[str]:
    """The lines of a worker that doesn't start."""
    with worker(Settings(), "service.worker", **variables) as one:
        assert one.process.wait(60) == 1
    return one.lines


def test_a_wrong_password_is_said_and_not_repeated(kept: str, postgres: PostgresServer) -> None:
    postgres.guard()
    assert worker_says(RAPT_DATABASE_URL=postgres.url("postgres", GUARDED, "guessed")) == [
        f'Error: The database can\'t be used: password authentication failed for user "{GUARDED}". '
        "Check RAPT_DATABASE_URL.\n"
    ]


def test_a_wrong_secret_is_said_and_not_repeated(kept: str) -> None:
    place = f"s3://{JOBS_BUCKET}/{uuid.uuid4().hex}"
    assert worker_says(RAPT_STORAGE_URL=place, AWS_SECRET_ACCESS_KEY="guessed") == [  # noqa: S106  # wrong on purpose
        f"Error: Access to {place} is refused. Check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY "
        "in the environment.\n"
    ]


def test_a_bucket_of_another_database_is_refused(kept: str, postgres: PostgresServer) -> None:
    settings = Settings()
    with office(settings), postgres.database() as other:
        (line,) = worker_says(RAPT_DATABASE_URL=other)
    assert line.startswith(f"Error: {settings.storage_url} has the objects of another installation")


def test_a_bucket_that_others_of_the_database_dont_use_is_refused(kept: str) -> None:
    settings = Settings()
    other = f"s3://{JOBS_BUCKET}/{uuid.uuid4().hex}"
    with office(settings):
        assert worker_says(RAPT_STORAGE_URL=other) == [
            f"Error: {other} has none of this database's objects: they were in "
            f"{settings.storage_url}. Set RAPT_STORAGE_URL to that, or copy all of them, "
            "installation too.\n"
        ]


def test_check_says_what_a_start_would_fail_with(
    kept: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAPT_STORAGE_URL", "s3://nobody-made-it/a")
    result = CliRunner().invoke(main, ["check"])
    assert (result.exit_code, result.stderr) == (
        1,
        "Error: There is no bucket nobody-made-it for s3://nobody-made-it/a. Make it, or set "
        "RAPT_STORAGE_URL to another.\n",
    )


def test_serve_does_not_start_and_says_why(
    kept: str, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAPT_DATABASE_URL", postgres.url("nowhere"))
    command = [sys.executable, "-m", "service.command_line", "serve"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  # our own words
    assert (ended.returncode, ended.stderr) == (
        1,
        'Error: The database can\'t be used: database "nowhere" does not exist. Check '
        "RAPT_DATABASE_URL.\n",
    )


def test_check_takes_nothing_for_its_own(
    kept: str, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings()
    with postgres.database() as empty:
        monkeypatch.setenv("RAPT_DATABASE_URL", empty)
        assert CliRunner().invoke(main, ["check"]).exit_code == 0
    with office(settings) as desk:
        assert desk.desk.page(LOCAL, Kind.VIDEO, 10, None) == []
