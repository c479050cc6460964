"""`make bento` packs what serves, offline, with the model that it should."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path

import grpc
import httpx
import pytest
from tritonclient.grpc import service_pb2

from emotion.checksums import digest_of
from emotion.contract import CLASSIFIER_NAME
from service.models.repository import read_model, versions_of
from service.settings import BUILT_IN_MODELS
from tests.e2e.grpc_calls import infer
from tests.e2e.models import Classifiers, version_of
from tests.e2e.servers import Server, running, until
from tests.service.registry_models import TestRegistry

PROJECT = Path(__file__).parents[2]
# Whoever would fetch something is sent there, and nobody listens.
OFFLINE = {"http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}


def pack(folder: Path, **variables: str) -> "subprocess.CompletedProcess[str]":
    """Pack a Bento into a folder."""
    ours = ("RAPT_", "BENTOML_", "MLFLOW_", "MAKE", "MFLAGS")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    here = {**inherited, **OFFLINE, "no_proxy": "127.0.0.1", **variables}
    ready = f"{sys.prefix}/.ready"  # The environment is this one, as it is.
    command = ["make", "--old-file", ready, "bento", f"SERVING={sys.prefix}", f"BENTO={folder}"]
    return subprocess.run(  # noqa: S603  # our own words
        command, cwd=PROJECT, env=here, capture_output=True, text=True, check=False
    )


def packed(folder: Path, **variables: str) -> Path:
    """Pack a Bento; return the BentoML home that it lies in."""
    done = pack(folder, **variables)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "home"


def models_in(home: Path) -> Path:
    """The model repository of the one Bento there."""
    (repository,) = home.glob("bentos/rapt/*/src/model_repository")
    return repository


@contextmanager
def served(home: Path, folder: Path) -> Iterator[Server]:
    """Serve the Bento from a folder that has nothing of the project."""
    bentoml = str(Path(sys.executable).with_name("bentoml"))
    command = [bentoml, "serve", "rapt:latest", "--host", "127.0.0.1"]
    with running(command, folder, place=folder, BENTOML_HOME=str(home)) as server:
        until(lambda: is_ready(server), 90, server)
        yield server


def is_ready(server: Server) -> bool:
    try:
        return server.get("/readyz").status_code == HTTPStatus.OK
    except httpx.TransportError:
        return False


@pytest.fixture(scope="module")
def committed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Bento that was packed without a registry."""
    return packed(tmp_path_factory.mktemp("t") / "bento")


def test_the_committed_model_is_packed_where_there_is_no_registry(committed: Path) -> None:
    repository = models_in(committed)
    model = read_model(BUILT_IN_MODELS, CLASSIFIER_NAME)
    assert read_model(repository, CLASSIFIER_NAME).digest == model.digest
    assert versions_of(repository / CLASSIFIER_NAME) == [model.number]


def test_it_holds_nothing_but_what_serves(committed: Path) -> None:
    assert {one.name for one in models_in(committed).parent.iterdir()} == {
        "bentofile.yaml",
        "emotion",
        "model_repository",
        "service",
    }


def test_without_the_registry_that_it_needs_the_former_bento_stays(committed: Path) -> None:
    (former,) = committed.glob("bentos/rapt/*/bento.yaml")
    done = pack(committed.parent, MLFLOW_TRACKING_URI="http://127.0.0.1:9")
    assert done.returncode != 0
    assert list(committed.glob("bentos/rapt/*/bento.yaml")) == [former]


def test_one_that_is_packed_anew_takes_the_place_of_the_former(committed: Path) -> None:
    (former,) = committed.glob("bentos/rapt/*/bento.yaml")
    (other,) = packed(committed.parent).glob("bentos/rapt/*/bento.yaml")
    assert other != former


# MLflow, a build and three processes, each of which may be slow to start.
@pytest.mark.timeout(400)
def test_a_packed_champion_answers_over_http_and_grpc_without_its_registry(
    registry: TestRegistry, classifiers: Classifiers, folder: Path, face_jpeg: bytes
) -> None:
    registry.register_champion(classifiers.first)
    home = packed(folder / "bento", MLFLOW_TRACKING_URI=registry.url)
    assert read_model(models_in(home), CLASSIFIER_NAME).digest == digest_of(classifiers.first)
    with served(home, folder) as server:
        assert version_of(server) == "first"
        response = server.post(face_jpeg)
        assert response.status_code == HTTPStatus.OK
        body = response.json()
        assert (len(body["faces"]), body["model"]["version"]) == (1, "first")
        with grpc.insecure_channel(server.grpc_target) as channel:
            answer = infer(channel, face_jpeg).result(timeout=30)
            assert isinstance(answer, service_pb2.ModelInferResponse)
            assert answer.model_version == "first"
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(40) == 0
