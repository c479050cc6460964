import pytest

from service import model_watches
from service.model_watches import watch_registry
from service.settings import Settings


class Started:
    """In place of ``Periodic``: notes what would be done how often."""

    def __init__(self, name: str, work: object, seconds: float) -> None:
        self._name = name
        self._work = work
        self._seconds = seconds

    def start(self) -> None:
        STARTED.append((self._name, self._seconds))


STARTED: list[tuple[str, float]] = []


@pytest.fixture(autouse=True)
def nothing_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    STARTED.clear()
    monkeypatch.setattr(model_watches, "Periodic", Started)


def test_the_registry_is_asked_as_often_as_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:1")
    assert watch_registry(Settings(model_poll_seconds=7))().state == "pending"
    assert STARTED == [("registry", 7)]


def test_an_address_that_is_none_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "foo")
    state = watch_registry(Settings())()
    assert state.state == "misconfigured"
    assert state.detail.startswith("MLFLOW_TRACKING_URI is not the address of a server, ")
    assert STARTED == []


@pytest.mark.parametrize(("uri", "seconds"), [("", 60), ("http://127.0.0.1:1", 0), ("foo", 0)])
def test_no_registry_or_no_interval_is_off(
    uri: str, seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    assert watch_registry(Settings(model_poll_seconds=seconds))().state == "off"
    assert STARTED == []
