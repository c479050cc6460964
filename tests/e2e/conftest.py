from collections.abc import Iterator

import pytest

from tests.e2e.servers import Server, press_ctrl_c, rapt
from tests.pictures import astronaut, encode


@pytest.fixture(scope="session")
def face_jpeg() -> bytes:
    """A photo of one face."""
    return encode(astronaut(), "JPEG")


@pytest.fixture(scope="session", params=["inline", "runners"])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """One server a topology, for all tests."""
    with rapt(request.param, tmp_path_factory.mktemp(request.param)) as one:
        yield one
        press_ctrl_c(one)


@pytest.fixture
def still_answers(server: Server, face_jpeg: bytes) -> Iterator[None]:
    """Whatever a test does to the server: a good photo is answered after it."""
    yield
    response = server.post(face_jpeg)
    assert response.status_code == 200
    assert len(response.json()["faces"]) == 1
