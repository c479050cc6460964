import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from benchmarks.ports import free_ports
from service.metrics import PhotoMetrics
from tests.kafka_server import KafkaServer, kafka_server
from tests.postgres_server import PostgresServer, running_postgres
from tests.s3_server import S3Server
from tests.service.inbox import BUCKET as INBOX
from tests.service.inbox import Inbox
from tests.service.kept import Where, kept_on, make_template
from tests.service.tiny_models import TinyRepository
from tests.service.told_spans import ToldSpans, telling


@pytest.fixture(autouse=True)
def default_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings of the machine that runs the tests don't count."""
    for name in [name for name in os.environ if name.startswith("RAPT_")]:
        monkeypatch.delenv(name)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv("RAPT_HOME", str(tmp_path / "home"))


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One PostgreSQL for all tests; each has a database of its own."""
    with running_postgres() as server:
        make_template(server)
        yield server


@pytest.fixture(params=["local", "remote"])
def kept(
    request: pytest.FixtureRequest, default_settings: None, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Where]:
    """Where jobs are kept: SQLite and a folder, or PostgreSQL and S3. Settings say so after it."""
    where: Where = request.param
    if where == "local":
        yield where
        return
    servers = request.getfixturevalue("postgres"), request.getfixturevalue("s3")
    with kept_on(*servers, monkeypatch):
        yield where


@pytest.fixture
def tiny(tmp_path: Path) -> TinyRepository:
    return TinyRepository(tmp_path / "models")


@pytest.fixture
def inbox(s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> Inbox:
    """What this process, and those it starts, may read by URI."""
    for name, value in s3.environment.items():
        monkeypatch.setenv(name, value)
    return Inbox(s3.store(INBOX), uuid.uuid4().hex)


@pytest.fixture
def kafka() -> Iterator[KafkaServer]:
    """A broker of the test's own, with the topics of jobs."""
    with kafka_server() as server:
        server.make_topics()
        yield server


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def metrics(registry: CollectorRegistry) -> PhotoMetrics:
    """Metrics that are read from ``registry``."""
    return PhotoMetrics(registry)


@pytest.fixture
def told() -> Iterator[ToldSpans]:
    """What this process tells in traces while the test runs."""
    with telling() as spans:
        yield spans


@pytest.fixture
def free_port() -> int:
    return free_ports(1)[0]
