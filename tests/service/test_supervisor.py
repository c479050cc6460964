"""What needs no running service; tests/e2e has the rest."""

import socket
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import cast

import pytest

from emotion.errors import InvalidRequest, ModelUnavailable
from service import supervisor
from service.data_folder import DataFolder
from service.settings import Settings
from service.supervisor import Address, Topology, serve_until_told


def never() -> None:
    pytest.fail("it said that it is ready")


@pytest.fixture(autouse=True)
def signals_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("signal.signal", lambda *_: None)


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:80"),
        ("localhost", "http://localhost:80"),
        ("0.0.0.0", "http://127.0.0.1:80"),  # noqa: S104  # not bound
        ("::", "http://[::1]:80"),
        ("fe80::1", "http://[fe80::1]:80"),
    ],
)
def test_an_address_says_where_this_machine_reaches_it(host: str, url: str) -> None:
    address = Address(host, 80, "inline", grpc_port=81)
    assert address.url == url
    assert address.grpc_target == url.removeprefix("http://").removesuffix("80") + "81"


def test_a_port_that_is_taken_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        expected = rf"^Can't listen on 127\.0\.0\.1:{port}: Address already in use\. Choose another"
        with pytest.raises(InvalidRequest, match=expected):
            serve_until_told(Address("127.0.0.1", port, "inline"), never)


def test_a_port_for_grpc_that_is_taken_is_told(free_port: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        address = Address("127.0.0.1", free_port, "inline", grpc_port=port)
        with pytest.raises(InvalidRequest, match=rf":{port}: Address .* --host and --grpc-port\.$"):
            serve_until_told(address, never)


def test_one_port_for_both_is_told(free_port: int) -> None:
    address = Address("127.0.0.1", free_port, "inline", grpc_port=free_port)
    with pytest.raises(InvalidRequest, match="HTTP and gRPC need a port each"):
        serve_until_told(address, never)


def test_a_host_that_does_not_exist_is_told() -> None:
    with pytest.raises(InvalidRequest, match=r"Can't listen on nowhere\.invalid:3000: "):
        serve_until_told(Address("nowhere.invalid", 3000, "inline"), never)


def test_a_service_that_ends_before_it_is_ready_is_told(free_port: int) -> None:
    address = Address("127.0.0.1", free_port, cast("Topology", "nonsense"))
    with pytest.raises(ModelUnavailable, match=r"ended with status 1 before it was ready"):
        serve_until_told(address, never)


def test_a_service_that_does_not_become_ready_is_told_and_ended(
    free_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "_START_SECONDS", 0.3)
    started: list[subprocess.Popen[bytes]] = []
    popen = subprocess.Popen

    def note(*arguments: object, **options: object) -> subprocess.Popen[bytes]:
        process = popen(*arguments, **options)  # type: ignore[call-overload]  # passed on
        started.append(process)
        return process  # type: ignore[no-any-return]  # as above

    monkeypatch.setattr("subprocess.Popen", note)
    with pytest.raises(ModelUnavailable, match="not ready within 0 s"):
        serve_until_told(Address("127.0.0.1", free_port, "inline"), never)
    assert [process.poll() for process in started] != [None]


class Unready(BaseHTTPRequestHandler):
    """Says why it is not ready."""

    def do_GET(self) -> None:
        body = b'{"detail": "Triton does not answer."}'
        self.send_response(503)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Be quiet."""


def test_why_it_is_not_ready_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "_START_SECONDS", 0.5)
    with (
        ThreadingHTTPServer(("127.0.0.1", 0), Unready) as unready,
        subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process,
    ):
        threading.Thread(target=unready.serve_forever, daemon=True).start()
        address = Address("127.0.0.1", unready.server_port, "triton")
        with pytest.raises(ModelUnavailable, match=r"within 0 s\. Triton does not answer\.$"):
            supervisor._wait_until_ready(address, process, supervisor._Told())
        unready.shutdown()


def test_the_front_has_its_deadline_to_end_and_time_to_close(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert supervisor._end_seconds() == Settings().deadline_seconds + 20
    monkeypatch.setenv("RAPT_DEADLINE_SECONDS", "2.5")
    assert supervisor._end_seconds() == 22.5


def test_an_empty_deadline_is_the_default_to_the_end_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAPT_DEADLINE_SECONDS", "")
    assert supervisor._end_seconds() == Settings().deadline_seconds + 20


def test_what_does_not_end_when_asked_is_made_to() -> None:
    code = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "print('up', flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as stubborn:  # noqa: S603  # our own words
        assert stubborn.stdout is not None
        assert stubborn.stdout.readline() == b"up\n"
        supervisor._end(stubborn, 0.2)
        assert stubborn.returncode == -9


class Kept:
    """``service.kept_running.KeptRunning`` that runs nothing."""

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        self.command = command
        self.environment = environment
        self.told: list[str] = []

    def ask_to_end(self) -> None:
        self.told.append("asked")

    def end(self) -> None:
        self.told.append("ended")


@pytest.mark.parametrize(
    ("name", "count", "names"),
    [("", 2, [None, None]), ("blue", 1, ["blue"]), ("blue", 2, ["blue-1", "blue-2"])],
)
def test_each_worker_has_a_name_of_its_own_and_all_are_ended(
    monkeypatch: pytest.MonkeyPatch, name: str, count: int, names: list[str | None]
) -> None:
    monkeypatch.setattr(supervisor, "KeptRunning", Kept)
    if name:
        monkeypatch.setenv("RAPT_EXECUTOR_ID", name)
    with supervisor._working(count, {"RAPT_INSTALLATION": "token"}) as crew:
        kept = cast("list[Kept]", crew)
        assert [one.command[-2:] for one in kept] == [["-m", "service.worker"]] * count
        assert [one.environment.get("RAPT_EXECUTOR_ID") for one in kept] == names
        assert {one.environment["RAPT_INSTALLATION"] for one in kept} == {"token"}
    assert [one.told for one in kept] == [["asked", "ended"]] * count


@pytest.mark.parametrize(("count", "modules"), [(0, []), (1, ["service.worker", "service.kafka"])])
def test_where_there_is_kafka_its_bridge_runs_beside_the_workers(
    monkeypatch: pytest.MonkeyPatch, count: int, modules: list[str]
) -> None:
    monkeypatch.setattr(supervisor, "KeptRunning", Kept)
    monkeypatch.setenv("RAPT_KAFKA_SERVERS", "localhost:9092")
    with supervisor._working(count, {"RAPT_INSTALLATION": "token"}) as crew:
        kept = cast("list[Kept]", crew)
        assert [one.command[-1] for one in kept] == modules
        assert all(one.environment["RAPT_INSTALLATION"] == "token" for one in kept)


def test_a_home_that_another_installation_holds_is_told(free_port: int) -> None:
    with DataFolder.of_home().held(), pytest.raises(InvalidRequest, match="is used by another"):
        serve_until_told(Address("127.0.0.1", free_port, "inline"), never, workers=1)
