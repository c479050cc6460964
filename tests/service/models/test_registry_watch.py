import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
import structlog

from service.models import registry_watch
from service.models.pull import Outcome, Pulled
from service.models.registry_watch import (
    RegistryState,
    RegistryWatch,
    pull_in_a_process,
    registry_misconfigured,
    registry_off,
)
from tests.service.registry_models import TestRegistry
from tests.service.tiny_models import classifier

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def watch_of(*pulls: Pulled) -> RegistryWatch:
    left = list(pulls)
    return RegistryWatch(lambda: left.pop(0))


def pulled(outcome: Outcome, detail: str = "why", number: str | None = None) -> Pulled:
    return Pulled(outcome=outcome, detail=detail, registry_version=number)


def measured(state: RegistryState) -> tuple[bool | None, bool | None, bool | None]:
    return state.is_up, state.is_champion_refused, state.is_pull_failed


def test_before_the_first_look_nothing_is_known() -> None:
    state = watch_of().state
    assert (state.state, measured(state)) == ("pending", (None, None, None))


def test_a_registry_that_is_not_asked_is_off() -> None:
    state = registry_off()
    assert (state.state, measured(state)) == ("off", (None, None, None))


def test_an_address_that_is_none_is_logged_and_nobody_elses_fault() -> None:
    with structlog.testing.capture_logs() as logs:
        state = registry_misconfigured("why")
    assert (state.state, state.detail) == ("misconfigured", "why")
    assert measured(state) == (None, None, True)
    assert logs == [
        {
            "event": "registry_asked",
            "outcome": "misconfigured",
            "detail": "why",
            "log_level": "warning",
        }
    ]


@pytest.mark.parametrize(
    ("outcome", "state", "figures"),
    [
        ("pulled", "ok", (True, False, False)),
        ("unchanged", "ok", (True, False, False)),
        ("empty", "empty", (True, False, False)),
        ("refused", "refused", (True, True, False)),
        ("unreachable", "unreachable", (False, None, False)),
        ("misconfigured", "misconfigured", (None, None, True)),
        ("unplaced", "unplaced", (True, False, True)),
        ("failed", "failed", (None, None, True)),
    ],
)
def test_a_look_says_how_it_stands(
    outcome: Outcome, state: str, figures: tuple[bool | None, bool | None, bool]
) -> None:
    watch = watch_of(pulled(outcome, number="7"))
    watch.look()
    seen = watch.state
    assert (seen.state, seen.detail, seen.champion) == (state, "why", "7")
    assert measured(seen) == figures


def test_it_says_since_when_it_is_so() -> None:
    watch = watch_of(pulled("unreachable", "other"), pulled("unchanged"))
    watch.state = RegistryState("unreachable", LONG_AGO, "one")
    watch.look()
    assert (watch.state.since, watch.state.detail) == (LONG_AGO, "other")
    watch.look()
    assert watch.state.since > LONG_AGO


def test_a_change_is_logged_and_what_stays_is_not() -> None:
    outcomes: tuple[Outcome, ...] = (
        "pulled",
        "unchanged",
        "unreachable",
        "unreachable",
        "unchanged",
        "pulled",
    )
    watch = watch_of(*map(pulled, outcomes))
    with structlog.testing.capture_logs() as logs:
        for _ in outcomes:
            watch.look()
    assert [entry["outcome"] for entry in logs] == ["pulled", "unreachable", "unchanged", "pulled"]
    assert {entry["event"] for entry in logs} == {"registry_asked"}


def test_a_process_pulls_the_champion_into_our_home(
    registry: TestRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = registry.register_champion(classifier("new").SerializeToString())
    monkeypatch.setenv("MLFLOW_TRACKING_URI", registry.url)
    result = pull_in_a_process()
    assert (result.outcome, result.registry_version) == ("pulled", number)
    folder = tmp_path / "home" / "models" / "emotion_classifier"
    assert json.loads((folder / "1" / "registry.json").read_bytes())["version"] == number


def test_a_process_tells_what_went_wrong(free_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{free_port}")
    result = pull_in_a_process()
    assert result.outcome == "unreachable"
    assert "Connection refused" in result.detail


@pytest.fixture
def instead(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Has Python code run in place of a pull."""

    def run(code: str) -> None:
        monkeypatch.setattr(registry_watch, "_COMMAND", ("-c", code))

    return run


def test_a_process_that_fails_otherwise_is_told_by_its_last_words(
    instead: Callable[[str], None],
) -> None:
    instead("raise SystemExit('no space')")
    result = pull_in_a_process()
    assert (result.outcome, result.detail) == ("failed", "A pull ended with status 1: no space")


def test_a_process_that_does_not_end_is_ended(
    instead: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry_watch, "_PULL_SECONDS", 0.5)
    instead("import time; time.sleep(60)")
    result = pull_in_a_process()
    assert (result.outcome, result.detail) == ("unreachable", "A pull had not ended after 0 s.")


def test_a_process_finds_our_package_wherever_it_lies(instead: Callable[[str], None]) -> None:
    instead(
        "import sys, pathlib; sys.path.pop(0);"
        "sources = pathlib.Path(sys.path[0]); assert (sources / 'service').is_dir(), sys.path;"
        'print(\'{"outcome": "unchanged", "detail": ""}\')'
    )
    assert pull_in_a_process().outcome == "unchanged"
    assert sys.path
