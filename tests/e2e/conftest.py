from collections.abc import Iterator
from pathlib import Path
from shutil import copytree

import pytest

from tests.e2e.models import Classifiers, make_classifiers
from tests.e2e.servers import Server, press_ctrl_c, rapt
from tests.mlflow_server import MlflowServer
from tests.pictures import astronaut, encode
from tests.service.registry_models import TestRegistry
from tests.triton_server import TritonServer, free_ports


@pytest.fixture(scope="session")
def face_jpeg() -> bytes:
    """A photo of one face."""
    return encode(astronaut(), "JPEG")


@pytest.fixture(scope="session")
def classifiers() -> Classifiers:
    return make_classifiers()


@pytest.fixture(scope="session")
def registry(mlflow: MlflowServer) -> TestRegistry:
    return TestRegistry(mlflow.url)


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a short name: BentoML's sockets lie in it."""
    return tmp_path_factory.mktemp("t")


@pytest.fixture
def home(folder: Path) -> Path:
    """The server's RAPT_HOME."""
    return folder / "rapt"


@pytest.fixture(params=["inline", pytest.param("runners", marks=pytest.mark.soak)])
def topology(request: pytest.FixtureRequest) -> str:
    """Of a server of the test's own. It takes long to start, so the soak has the other one."""
    name: str = request.param
    return name


@pytest.fixture(scope="session", params=["inline", "runners", "triton"])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """One server a topology, for all tests."""
    folder = tmp_path_factory.mktemp(request.param)
    address = ""
    if request.param == "triton":
        triton: TritonServer = request.getfixturevalue("triton")
        address = triton.address
    # f32, since all topologies have to give the same answer, on any machine.
    settings = {"RAPT_DETECTOR_PRECISION": "f32", "RAPT_TRITON_ADDRESS": address}
    with rapt(request.param, folder, place=None, **settings) as one:
        yield one
        press_ctrl_c(one)


@pytest.fixture
def own_triton(
    triton_environment: None, model_repository: Path, tmp_path: Path
) -> Iterator[TritonServer]:
    """A Triton that the test may do with as it likes; it isn't started yet."""
    repository = copytree(model_repository, tmp_path / "models")
    server = TritonServer(repository, tmp_path, free_ports())
    yield server
    server.kill()


@pytest.fixture
def still_answers(server: Server, face_jpeg: bytes) -> Iterator[None]:
    """Whatever a test does to the server: a good photo is answered after it."""
    yield
    response = server.post(face_jpeg)
    assert response.status_code == 200
    assert len(response.json()["faces"]) == 1
