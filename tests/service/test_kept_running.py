"""Real processes that end in one way or another."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from service import kept_running
from service.kept_running import KeptRunning
from tests.service.full_stream import FullStream

Keep = Callable[[str], KeptRunning]


@pytest.fixture
def keep(tmp_path: Path) -> Iterator[Keep]:
    """Keeps a process that notes each of its starts; ends it with the test."""
    kept: list[KeptRunning] = []

    def start(code: str) -> KeptRunning:
        noted = f"open({str(tmp_path / 'starts')!r}, 'a').write('x'); {code}"
        kept.append(KeptRunning([sys.executable, "-c", noted], os.environ))
        return kept[-1]

    yield start
    for one in kept:
        one.end()


def look_until_started(kept: KeptRunning, tmp_path: Path, times: int) -> float:
    """Look on until it has started so often; return the seconds that took."""
    began = time.monotonic()
    while len((tmp_path / "starts").read_text() if (tmp_path / "starts").exists() else "") < times:
        assert time.monotonic() - began < 20
        kept.look()
        time.sleep(0.01)
    return time.monotonic() - began


def test_what_ends_is_started_again_later_each_time(
    keep: Keep, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(kept_running, "_FIRST_WAIT", 0.3)
    kept = keep("raise SystemExit(3)")
    assert look_until_started(kept, tmp_path, 2) >= 0.3
    assert look_until_started(kept, tmp_path, 3) >= 0.6
    assert "ended with status 3; it is started again in 1 s.\n" in capsys.readouterr().err


def test_what_ran_well_is_started_again_soon(
    keep: Keep, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_running, "_FIRST_WAIT", 0.01)
    monkeypatch.setattr(kept_running, "_WELL_SECONDS", 0.0)
    kept = keep("pass")
    look_until_started(kept, tmp_path, 8)


def test_what_runs_is_left_alone(keep: Keep, tmp_path: Path) -> None:
    kept = keep("import signal; signal.pause()")
    process = kept.process
    look_until_started(kept, tmp_path, 1)
    kept.look()
    assert kept.process is process
    kept.ask_to_end()
    kept.end()
    assert process.returncode == -signal.SIGTERM


def test_what_does_not_end_when_asked_is_made_to(
    keep: Keep, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_running, "_END_SECONDS", 0.2)
    kept = keep(
        "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(end='')\n"
        f"open({str(tmp_path / 'starts')!r}, 'a').write('x'); signal.pause()"
    )
    look_until_started(kept, tmp_path, 2)
    kept.end()
    assert kept.process.returncode == -signal.SIGKILL


def test_who_keeps_it_lives_on_where_nothing_can_be_said(
    keep: Keep, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_running, "_FIRST_WAIT", 0.0)
    monkeypatch.setattr(sys, "stderr", FullStream())
    look_until_started(keep("raise SystemExit(1)"), tmp_path, times=2)
