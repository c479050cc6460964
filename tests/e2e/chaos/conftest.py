from collections.abc import Callable, Iterator

import pytest

from tests.clips import steady, walking, write_clip
from tests.postgres_server import PostgresServer, running_postgres

Tell = Callable[[str], None]


@pytest.fixture
def tell(request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]) -> Tell:
    """Prints what was seen: docs/operations.md says so."""

    def say(what: str) -> None:
        with capsys.disabled():
            print(f"\n{request.node.name}: {what}")  # noqa: T201  # the figures are the point

    return say


@pytest.fixture(scope="session")
def long_clip(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Half a minute of one face: at ten looks a second, some seconds of work."""
    file = tmp_path_factory.mktemp("clips") / "clip.mp4"
    return write_clip(file, walking(300), steady(10, 30)).read_bytes()


@pytest.fixture
def own_postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL that the test may stop."""
    with running_postgres() as server:
        yield server
