"""A worker, and `rapt check`, that can't use the database or the bucket: said in a sentence."""

import subprocess
import sys
import uuid

import pytest
from click.testing import CliRunner

from service.command_line import main
from service.jobs.job import LOCAL, Kind
from service.settings import Settings
from tests.kafka_server import KafkaServer
from tests.postgres_server import GUARDED, PASSWORD, PostgresServer
from tests.s3_server import JOBS_BUCKET
from tests.service.inbox import Inbox
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


def test_check_says_a_line_of_each_that_can_be_used(
    kept: str, inbox: Inbox, kafka: KafkaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in kafka.environment.items():
        monkeypatch.setenv(name, value)
    inbox.put("in/talk.mp4", b"1")
    monkeypatch.setenv("RAPT_SOURCES", f"{inbox.uri('in/')},{inbox.uri('none/')}")
    settings = Settings()
    before = CliRunner().invoke(main, ["check"]).stdout.splitlines()
    with office(settings):
        result = CliRunner().invoke(main, ["check"])
    assert (result.exit_code, result.stderr) == (0, "")
    database, bucket, options, models, source, empty, servers = result.stdout.splitlines()
    assert database.startswith("Database postgresql://postgres")
    assert database.endswith(": answers.")
    assert before[1] == f"Bucket {settings.bucket}: answers, and is nobody's yet."
    assert bucket == f"Bucket {settings.bucket}: has this database's objects."
    assert options == "Kafka's options: can be used."
    assert models.startswith("Models in ")
    assert source == f"Source {inbox.uri('in/')}: can be read."
    assert empty == f"Source {inbox.uri('none/')}: can be read; there is nothing below it yet."
    assert servers == f"Kafka {kafka.servers}: answers."


def test_check_says_no_password_wherever_it_stands(
    kept: str, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    postgres.guard()
    with postgres.database(owner=GUARDED) as url:
        bare = url.replace(f":{PASSWORD}@", "@")
        monkeypatch.setenv("RAPT_DATABASE_URL", f"{bare}&password={PASSWORD}")
        monkeypatch.delenv("RAPT_STORAGE_URL")
        result = CliRunner().invoke(main, ["check"])
    assert "Database postgresql://guarded@" in result.stdout
    assert PASSWORD not in result.output


def test_check_says_all_that_cant_be_used(
    kept: str, free_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAPT_SOURCES", "s3://nobody-made-it/a/")
    monkeypatch.setenv("RAPT_KAFKA_SERVERS", f"127.0.0.1:{free_port}")
    result = CliRunner().invoke(main, ["check"])
    source, servers = result.stderr.splitlines()
    assert result.exit_code == 1
    assert source == ("Error: There is no s3://nobody-made-it/a/. Send it again when it is there.")
    assert servers.startswith("Error: Kafka doesn't answer: ")
    assert "Connection refused" in servers
    assert servers.endswith(" Check RAPT_KAFKA_SERVERS.")
    assert CliRunner().invoke(main, ["check", "--only-needed"]).exit_code == 0


def test_check_refuses_the_bucket_that_a_worker_would_refuse(
    kept: str, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with office(Settings()), postgres.database() as other:
        monkeypatch.setenv("RAPT_DATABASE_URL", other)
        result = CliRunner().invoke(main, ["check"])
    assert result.exit_code == 1
    assert "has the objects of another installation" in result.stderr


def test_check_takes_nothing_for_its_own(
    kept: str, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings()
    with postgres.database() as empty:
        monkeypatch.setenv("RAPT_DATABASE_URL", empty)
        assert CliRunner().invoke(main, ["check"]).exit_code == 0
    with office(settings) as desk:
        assert desk.desk.page(LOCAL, Kind.VIDEO, 10, None) == []
