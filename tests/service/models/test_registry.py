import os
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from emotion.checksums import digest_of
from emotion.contract import ROLLED_BACK_TAG, TRIAL_TAG
from service.models.registry import (
    Champion,
    ChampionRefused,
    ModelRegistry,
    NoChampion,
    RegistryMisconfigured,
    RegistryUnreachable,
    registry_uri,
)
from tests.service.registry_models import TestRegistry
from tests.service.tiny_models import classifier

MODEL: bytes = classifier("registered").SerializeToString()


class Answer(BaseHTTPRequestHandler):
    """Answers everything with the server's status."""

    def do_GET(self) -> None:
        self.send_response(int(self.server.status))  # type: ignore[attr-defined]  # set below
        self.end_headers()
        self.wfile.write(b"<html>")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def other_server(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a server that is no registry, and answers with a status."""
    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        server.status = request.param  # type: ignore[attr-defined]  # read above
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_the_champion_is_the_version_with_the_alias(registry: TestRegistry) -> None:
    number = registry.register_champion(MODEL)
    registry.register(classifier("challenger").SerializeToString())
    assert ModelRegistry(registry.url).champion() == Champion(number, digest_of(MODEL))


def test_the_file_comes_as_it_was_registered(registry: TestRegistry, tmp_path: Path) -> None:
    number = registry.register(MODEL)
    content = ModelRegistry(registry.url).fetch(Champion(number, ""), tmp_path)
    assert content == MODEL
    assert [path.name for path in tmp_path.iterdir()] == ["model.onnx"]


def test_without_a_champion_it_says_how_to_get_one(registry: TestRegistry) -> None:
    registry.register(MODEL)
    registry.have_no_champion()
    with pytest.raises(NoChampion) as refusal:
        ModelRegistry(registry.url).champion()
    assert refusal.value.message == (
        f"emotion_classifier has no version with the alias 'champion' in {registry.url}: "
        "Registered model alias champion not found. Promote one: python -m training promote."
    )


def test_a_champion_without_a_checksum_is_refused(registry: TestRegistry) -> None:
    number = registry.register_champion(MODEL, digest="")
    expected = "has no tag 'sha256' to check its file by"
    with pytest.raises(ChampionRefused, match=expected) as refusal:
        ModelRegistry(registry.url).champion()
    assert refusal.value.version == number


@pytest.mark.parametrize("images", ["700", ""])
def test_a_champion_that_is_a_trial_is_refused(images: str, registry: TestRegistry) -> None:
    number = registry.register_champion(MODEL)
    registry.tag(number, TRIAL_TAG, images)
    with pytest.raises(ChampionRefused) as refusal:
        ModelRegistry(registry.url).champion()
    assert refusal.value.message == (
        f"Version {number} of emotion_classifier in {registry.url} is a trial (it learnt from a "
        "cut of the data) and is never served. Promote another: python -m training promote."
    )
    assert refusal.value.version == number


def test_a_version_without_the_file_is_refused(registry: TestRegistry, tmp_path: Path) -> None:
    number = registry.register(MODEL, file="model.pkl")
    with pytest.raises(ChampionRefused, match=r"has no file model\.onnx in http") as refusal:
        ModelRegistry(registry.url).fetch(Champion(number, ""), tmp_path)
    assert refusal.value.version == number
    assert list(tmp_path.iterdir()) == []


def test_versions_that_were_taken_back_are_told_from_others_and_from_those_that_are_gone(
    registry: TestRegistry,
) -> None:
    good, bad = registry.register(MODEL), registry.register(MODEL)
    registry.tag(bad, ROLLED_BACK_TAG, "calls every beard angry")
    assert ModelRegistry(registry.url).withdrawn({good, bad, "999999"}) == {bad}


def test_a_server_that_is_down_is_told_without_its_password(free_port: int) -> None:
    registry = ModelRegistry(f"http://user:secret@127.0.0.1:{free_port}")
    with pytest.raises(RegistryUnreachable) as refusal:
        registry.champion()
    assert refusal.value.message == (
        f"The model registry http://127.0.0.1:{free_port} does not answer: Failed to establish a "
        "new connection: [Errno 111] Connection refused. Is `mlflow server` running there? "
        "It is set by MLFLOW_TRACKING_URI."
    )


@pytest.mark.parametrize("other_server", [404, 500, 200], indirect=True)
def test_a_server_that_is_no_registry_is_told(other_server: str) -> None:
    with pytest.raises(RegistryUnreachable, match="does not answer: "):
        ModelRegistry(other_server).champion()


@pytest.mark.parametrize("other_server", [401, 403], indirect=True)
def test_a_server_that_lets_nobody_in_is_told(other_server: str) -> None:
    with pytest.raises(
        RegistryUnreachable, match=r"refuses access: .* Set MLFLOW_TRACKING_USERNAME"
    ):
        ModelRegistry(other_server).champion()


@pytest.mark.parametrize(
    "value",
    [
        "databricks",
        "databricks://profile",
        "file:///mlflow",
        "foo://bar",
        "garbage",
        "http:",
        "http://",
        "http://:5000",
        "http://[::1",
        "http://localhost:port",
        "http://user:secret@localhost:0",
        "localhost:5000",
        "postgresql://user:secret@localhost/mlflow",
        "sqlite:////nowhere/secret.db",
        " ",
    ],
)
def test_what_is_no_servers_address_is_told_in_one_line(value: str) -> None:
    with pytest.raises(RegistryMisconfigured) as refusal:
        ModelRegistry(value)
    assert refusal.value.message == (
        "MLFLOW_TRACKING_URI is not the address of a server, as in http://localhost:5000. A "
        "registry in a database is served by `mlflow server --backend-store-uri`."
    )


@pytest.mark.parametrize(
    "value", ["HTTP://127.0.0.1:{}", " http://127.0.0.1:{}/mlflow ", "http://[::1]:{}"]
)
def test_a_servers_address_may_be_written_in_other_ways(value: str, free_port: int) -> None:
    with pytest.raises(RegistryUnreachable, match=r"Connection refused|Cannot assign"):
        ModelRegistry(value.format(free_port)).champion()


@pytest.mark.parametrize("value", [None, ""])
def test_no_registry_may_be_set(value: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    if value is not None:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", value)
    assert registry_uri() is None


def test_mlflow_is_loaded_by_nothing_but_a_registry_that_is_opened() -> None:
    code = (
        "import sys, service.inline, service.runners, service.models_command;"
        "assert 'mlflow' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env=dict(os.environ))  # noqa: S603  # our own words
