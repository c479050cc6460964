"""Webhooks to a real server, over TLS and without."""

import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from standardwebhooks import Webhook

from service.delivery.courier import Outcome
from service.delivery.events import Event
from service.delivery.webhooks import WebhookSender
from service.settings import Settings
from tests.service.delivery.jobs import delivery_to, ended_job
from tests.webhook_server import SECRET, WebhookServer, webhook_server

HOST = "hooks.example"


class Resolver:
    """Knows some addresses, and counts who asks; the next time it says something else."""

    def __init__(self, *addresses: str) -> None:
        self._answers = [list(addresses), ["8.8.8.8"]]
        self.asked: list[tuple[str, int]] = []

    async def __call__(self, host: str, port: int) -> list[str]:
        self.asked.append((host, port))
        return self._answers.pop(0)


@pytest.fixture
def server() -> Iterator[WebhookServer]:
    with webhook_server() as one:
        yield one


def settings_of(**more: object) -> Settings:
    return Settings.model_validate(
        {
            "webhook_secret": SECRET,
            "webhook_networks": "127.0.0.0/8",
            "webhook_insecure": True,
            "webhook_seconds": 5.0,
            **more,
        }
    )


def send_to(url: str, settings: Settings, resolver: Resolver | None = None) -> Outcome:
    sender = WebhookSender(settings) if resolver is None else WebhookSender(settings, resolver)
    (outcome,) = sender.send([delivery_to(url)])
    return outcome


def test_a_webhook_is_the_event_signed(server: WebhookServer) -> None:
    outcome = send_to(f"http://127.0.0.1:{server.port}/hook%2Fa?token=b%2Fc%3D", settings_of())
    (received,) = server.received
    assert outcome == Outcome()
    assert received.path == "/hook%2Fa?token=b%2Fc%3D"
    assert received.body == Event.of(ended_job()).model_dump_json().encode()
    assert received.headers["content-type"] == "application/json"
    assert received.headers["webhook-id"] == "msg_" + "cd" * 16
    assert abs(int(received.headers["webhook-timestamp"]) - time.time()) < 60
    Webhook(SECRET).verify(received.body, received.headers)


def test_a_loopback_address_gets_nothing_where_it_is_not_allowed(server: WebhookServer) -> None:
    for host in ("127.0.0.1", "localhost"):
        outcome = send_to(f"http://{host}:{server.port}/", settings_of(webhook_networks=""))
        assert outcome.why is not None
        assert outcome.why.startswith("webhook: its host is not a public address.")
    assert server.received == []


def test_a_name_that_leads_to_such_an_address_gets_nothing(server: WebhookServer) -> None:
    resolver = Resolver("127.0.0.1")
    outcome = send_to(f"http://{HOST}:{server.port}/", settings_of(webhook_networks=""), resolver)
    assert outcome.why is not None
    assert "not a public address" in outcome.why
    assert server.received == []


def test_the_address_that_was_judged_is_called_and_the_name_is_not_looked_up_again(
    server: WebhookServer,
) -> None:
    resolver = Resolver("127.0.0.1")
    assert send_to(f"http://{HOST}:{server.port}/", settings_of(), resolver) == Outcome()
    assert resolver.asked == [(HOST, server.port)]
    assert server.received[0].headers["host"] == f"{HOST}:{server.port}"


def test_the_next_address_is_called_where_one_is_not_there(server: WebhookServer) -> None:
    resolver = Resolver("127.0.0.2", "127.0.0.1")
    assert send_to(f"http://{HOST}:{server.port}/", settings_of(), resolver) == Outcome()


def test_a_redirect_is_not_followed(server: WebhookServer) -> None:
    with webhook_server() as other:
        server.statuses = [307]
        server.headers = {"Location": f"http://127.0.0.1:{other.port}/"}
        outcome = send_to(f"http://127.0.0.1:{server.port}/", settings_of())
        assert other.received == []
    assert outcome == Outcome("It answered 307.")


@pytest.mark.parametrize("status", [300, 404, 500])
def test_what_is_no_2xx_has_not_arrived(server: WebhookServer, status: int) -> None:
    server.statuses = [status]
    outcome = send_to(f"http://127.0.0.1:{server.port}/", settings_of())
    assert outcome == Outcome(f"It answered {status}.")


@pytest.mark.parametrize(
    ("said", "heeded"), [("120", 120.0), ("-1", 0.0), ("Wed, 21 Oct 2026 07:28:00 GMT", 0.0)]
)
def test_an_answer_may_ask_to_be_left_alone_for_some_seconds(
    server: WebhookServer, said: str, heeded: float
) -> None:
    server.statuses, server.headers = [429], {"Retry-After": said}
    outcome = send_to(f"http://127.0.0.1:{server.port}/", settings_of())
    assert outcome == Outcome("It answered 429.", wait=heeded)


def test_410_is_never_tried_again(server: WebhookServer) -> None:
    server.statuses = [410]
    outcome = send_to(f"http://127.0.0.1:{server.port}/", settings_of())
    assert outcome == Outcome("It answered 410.", is_final=True)


def test_who_doesnt_answer_in_time_is_given_up(server: WebhookServer) -> None:
    server.wait = 1.0
    outcome = send_to(f"http://127.0.0.1:{server.port}/", settings_of(webhook_seconds=0.2))
    assert outcome == Outcome("It didn't answer within 0.2 s.")


def test_an_endless_answer_is_not_read(server: WebhookServer) -> None:
    server.statuses, server.body = [200], None
    assert send_to(f"http://127.0.0.1:{server.port}/", settings_of()) == Outcome()


def test_an_answer_of_endless_headers_is_refused(server: WebhookServer) -> None:
    server.headers = {f"x-{number}": "a" * 1000 for number in range(1000)}
    outcome = send_to(f"http://127.0.0.1:{server.port}/", settings_of())
    assert outcome.why is not None
    assert outcome.why.startswith("It can't be reached")


def test_who_is_not_there_is_told_without_its_address(free_port: int) -> None:
    outcome = send_to(f"http://127.0.0.1:{free_port}/secret-token", settings_of())
    assert outcome == Outcome("It can't be reached (ClientConnectorError).")


def test_a_slow_receiver_keeps_no_other_waiting(server: WebhookServer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        slow = delivery_to(f"http://127.0.0.1:{silent.getsockname()[1]}/")
        quick = delivery_to(f"http://127.0.0.1:{server.port}/")
        outcomes = WebhookSender(settings_of(webhook_seconds=0.5)).send([slow, quick])
    assert outcomes == [Outcome("It didn't answer within 0.5 s."), Outcome()]


class Https:
    """A server with a certificate for ``HOST``, which this process trusts."""

    def __init__(self, folder: Path, name: str) -> None:
        authority = trustme.CA()
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(name).configure_cert(self.tls)
        self.trusted = folder / "authority.pem"
        authority.cert_pem.write_to_path(str(self.trusted))


def test_over_tls_the_certificate_is_the_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    https = Https(tmp_path, HOST)
    monkeypatch.setenv("SSL_CERT_FILE", str(https.trusted))
    settings = settings_of(webhook_insecure=False)
    with webhook_server(https.tls) as one:
        url = f"https://{HOST}:{one.port}/"
        assert send_to(url, settings, Resolver("127.0.0.1")) == Outcome()
        assert one.received[0].headers["host"] == f"{HOST}:{one.port}"


@pytest.mark.parametrize("wrong", ["name", "authority"])
def test_a_certificate_of_another_name_or_authority_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    https = Https(tmp_path, "other.example" if wrong == "name" else HOST)
    if wrong == "name":
        monkeypatch.setenv("SSL_CERT_FILE", str(https.trusted))
    with webhook_server(https.tls) as one:
        outcome = send_to(f"https://{HOST}:{one.port}/", settings_of(), Resolver("127.0.0.1"))
        assert one.received == []
    assert outcome == Outcome("It can't be reached (ClientConnectorCertificateError).")
