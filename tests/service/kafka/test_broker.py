"""A real broker, there and away."""

import pytest

from emotion.errors import InvalidRequest
from service.kafka.broker import Broker, Outgoing
from service.settings import Settings
from tests.kafka_server import KafkaServer


def settings_of(kafka: KafkaServer, **options: str) -> Settings:
    return Settings.model_validate({**kafka.settings, "kafka_options": options})


def test_what_is_published_can_be_read(kafka: KafkaServer) -> None:
    messages = [
        Outgoing("rapt.jobs.completed", b"one", b"1", {"rapt-delivery": b"d"}),
        Outgoing("rapt.jobs.completed", None, b"2"),
    ]
    assert Broker(settings_of(kafka)).publish(messages) == [None, None]
    first, second = kafka.read("rapt.jobs.completed", 2)
    assert (first.key(), first.value(), first.headers()) == (
        b"one",
        b"1",
        [("rapt-delivery", b"d")],
    )
    assert (second.key(), second.value()) == (None, b"2")


def test_what_is_not_taken_says_why_and_holds_nothing_up(kafka: KafkaServer) -> None:
    broker = Broker(settings_of(kafka, **{"message.max.bytes": "2000"}))
    large = Outgoing("rapt.jobs.completed", None, b"a" * 3000)
    small = Outgoing("rapt.jobs.completed", None, b"1")
    why, none = broker.publish([large, small])
    assert why is not None
    assert "too large" in why
    assert none is None


def test_how_it_stands_is_logged_once_a_change(
    kafka: KafkaServer, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # One that is there may take its time on a busy machine.
    monkeypatch.setattr("service.kafka.broker._PROBE_SECONDS", 30.0)
    broker = Broker(settings_of(kafka))
    assert [broker.look(), broker.look()] == [True, True]
    with kafka.away(), monkeypatch.context() as away:
        away.setattr("service.kafka.broker._PROBE_SECONDS", 2.0)
        assert [broker.look(), broker.look()] == [False, False]
    assert broker.look()
    written = capsys.readouterr()
    assert [written.out.count(word) for word in ("kafka_up", "kafka_down")] == [2, 1]
    assert written.err == ""


def test_what_is_published_to_nobody_is_told_as_lost(free_port: int) -> None:
    servers = f"127.0.0.1:{free_port}"
    settings = Settings(kafka_servers=servers, kafka_options={"delivery.timeout.ms": "500"})
    (why,) = Broker(settings).publish([Outgoing("rapt.jobs.completed", None, b"1")])
    assert why is not None
    assert "timed out" in why.lower()


def test_without_a_server_there_is_no_broker() -> None:
    with pytest.raises(InvalidRequest, match="RAPT_KAFKA_SERVERS"):
        Broker(Settings())


def test_an_option_that_is_none_is_told() -> None:
    settings = Settings(kafka_servers="127.0.0.1:1", kafka_options={"no.such.option": "1"})
    with pytest.raises(InvalidRequest, match=r'^RAPT_KAFKA_OPTIONS: .*"no\.such\.option"'):
        Broker(settings)


def test_options_are_not_shown_with_the_settings() -> None:
    settings = Settings(kafka_options={"sasl.password": "hidden"})
    assert "hidden" not in repr(settings)
