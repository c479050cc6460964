"""What all tests share: the data that isn't committed, and the detector that is."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from service.models.openvino import OpenVinoFaceNetwork
from tests.mlflow_server import MlflowServer, mlflow_server
from tests.s3_server import JOBS_BUCKET, S3Server, s3_server
from tests.triton_server import TritonServer, triton_server, tritonserver

PROJECT = Path(__file__).parents[1]
SHARED_DATA = PROJECT.parent / "shared" / "data"


def pytest_configure() -> None:
    """Heed Ctrl-C, for those that tests start: a shell's background commands ignore it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # Rich draws an error's trace, with all that was known at each step, for up to half a minute.
    plain = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[*structlog.get_config()["processors"][:-1], plain])


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what needs the shared data where it is absent, before any fixture looks for it."""
    if item.get_closest_marker("shared_data") and not SHARED_DATA.is_dir():
        pytest.skip(f"{SHARED_DATA} is absent")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """For tests that carry the marker of the same name."""
    return SHARED_DATA


@pytest.fixture(scope="session")
def model_repository() -> Path:
    """The committed one. Not to be written to."""
    return PROJECT / "model_repository"


@pytest.fixture(scope="session")
def face_network(model_repository: Path) -> OpenVinoFaceNetwork:
    """The committed detector, the same on every machine."""
    return OpenVinoFaceNetwork(model_repository, "f32")


@pytest.fixture(scope="session")
def mlflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MlflowServer]:
    """One MLflow server for all tests; each registers under names or experiments of its own."""
    with mlflow_server(tmp_path_factory.mktemp("mlflow")) as server:
        yield server


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """One S3 server for all tests; each has a prefix or buckets of its own."""
    with s3_server(tmp_path_factory.mktemp("s3")) as server:
        server.make_bucket(JOBS_BUCKET, {"made": b""})
        yield server


@pytest.fixture(scope="session")
def triton_environment() -> None:
    """Skip where there can't be one; `make test` makes it."""
    if tritonserver() is None:
        pytest.skip(
            ".venv-triton is absent; `make test` makes it with Python 3.11 or 3.12 on Linux"
        )


@pytest.fixture(scope="session")
def triton(
    triton_environment: None, model_repository: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[TritonServer]:
    """One Triton server with the committed models, for all tests that don't change it."""
    with triton_server(model_repository, tmp_path_factory.mktemp("triton")) as server:
        yield server
