"""The data folder: what lies where in it, and who may use it.

``rapt serve`` holds the folder alone, and its children use it with it. A worker or a front that is
started by hand shares it with others of its kind. Locks are the kernel's (flock): they end with the
process that holds them, however it ends.
"""

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Self

from emotion.errors import InvalidRequest

# Set by `rapt serve` for the processes it starts; names its hold on the folder.
INSTALLATION = "RAPT_INSTALLATION"
DEFAULT_HOME = Path("~/.rapt")
_ROWS = "rapt.db"
_MODE = 0o700  # Videos and what they show are for nobody else to read.


@dataclass(frozen=True, slots=True)
class DataFolder:
    """Where videos and what belongs to them are kept.

    Attributes:
        path: the folder; it may not be there yet.
    """

    path: Path

    @property
    def objects(self) -> Path:
        """Uploads and reports."""
        return self.path / "objects"

    @property
    def fetched(self) -> Path:
        """Copies of objects that lie elsewhere, while they are read."""
        return self.path / "fetched"

    @property
    def database_url(self) -> str:
        """Rows."""
        return f"sqlite:///{self.path / _ROWS}"

    @property
    def workflows_url(self) -> str:
        """The rows of DBOS."""
        return f"sqlite:///{self.path / 'dbos.db'}"

    @property
    def has_rows(self) -> bool:
        """Whether it was ever used."""
        return (self.path / _ROWS).exists()

    @classmethod
    def of_home(cls, home: Path | None = None) -> Self:
        """Return the data folder of a home; of the environment's, if none is given."""
        chosen = home or Path(os.environ.get("RAPT_HOME") or DEFAULT_HOME)
        return cls(chosen.expanduser() / "jobs")

    @contextmanager
    def held(self) -> Iterator[dict[str, str]]:
        """Hold the folder alone while the block runs.

        Yields:
            Variables for the environment of processes that are to use it with this one.

        Raises:
            InvalidRequest: another holds or shares it, or it can't be made.
        """
        token = secrets.token_hex(16)
        with self._opened("lock") as lock:
            self._take(lock, fcntl.LOCK_EX)
            os.truncate(lock, 0)
            os.pwrite(lock, token.encode(), 0)
            yield {INSTALLATION: token}

    @contextmanager
    def shared(self) -> Iterator[None]:
        """Use the folder while the block runs, beside others, or with who started this process.

        Raises:
            InvalidRequest: somebody else holds it, or it can't be made.
        """
        with self._opened("lock") as lock:
            token = os.environ.get(INSTALLATION, "")
            if not token or os.pread(lock, len(token) + 1, 0) != token.encode():
                self._take(lock, fcntl.LOCK_SH)
            yield

    @contextmanager
    def place(self, name: str, prefix: str = "worker") -> Iterator[str]:
        """Take a worker's place on this machine while the block runs.

        A worker that takes the place of a dead one has its name, and so its jobs.

        Args:
            name: of the place; empty for the first of worker-1, worker-2, ... that is free.
            prefix: said instead of worker.

        Yields:
            The name.

        Raises:
            InvalidRequest: the place of that name is taken.
        """
        names = [name] if name else (f"{prefix}-{number}" for number in count(1))
        for one in names:
            with self._opened(f"{one}.lock") as lock:
                if _try(lock, fcntl.LOCK_EX):
                    yield one
                    return
        raise InvalidRequest(f"A worker named {name} is running. Set RAPT_EXECUTOR_ID to another.")

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Wait until nobody else is in such a block; for the making of tables."""
        with self._opened("tables.lock") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    @contextmanager
    def _opened(self, name: str) -> Iterator[int]:
        try:
            self.path.mkdir(_MODE, parents=True, exist_ok=True)
            lock = os.open(self.path / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise InvalidRequest(
                f"{self.path} can't be used: {error.strerror}. Set RAPT_HOME to another folder."
            ) from error
        try:
            yield lock
        finally:
            os.close(lock)

    def _take(self, lock: int, how: int) -> None:
        if not _try(lock, how):
            raise InvalidRequest(
                f"{self.path} is used by another Rapt. End that one, or set RAPT_HOME to another "
                "folder."
            )


def _try(lock: int, how: int) -> bool:
    try:
        fcntl.flock(lock, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
