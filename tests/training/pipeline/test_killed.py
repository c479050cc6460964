"""A pipeline killed with SIGKILL again and again ends as one that never was.

It runs on the default registry, a SQLite file; the one that never was, on a server.
"""

import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from emotion.checksums import digest_of
from tests.training.smoke import MODEL, ROOT, SMOKE, Twice

pytestmark = [pytest.mark.soak, pytest.mark.timeout(1200)]

_PATIENCE = 300.0
RUN = Path("runs") / "smoke" / "001"


@dataclass(frozen=True)
class Killed:
    home: Path
    codes: list[int]
    last: subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def killed(twice: Twice, parquet_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Killed:
    home = tmp_path_factory.mktemp("killed")
    words = [sys.executable, "-m", "training", "pipeline", "--threads", "1"]
    words += ["--config", str(SMOKE), "--data", str(parquet_folder)]
    environment = {**os.environ, "RAPT_HOME": str(home)}
    environment.pop("MLFLOW_TRACKING_URI", None)
    moments: list[Callable[[], bool]] = [
        (home / RUN / "history.jsonl").is_file,
        (home / RUN / "candidate" / "fp32.onnx").is_file,
        lambda: rows(home, "SELECT version FROM model_versions") != [],
        lambda: ("gate",) in rows(home, "SELECT key FROM model_version_tags"),
        lambda: ("champion",) in rows(home, "SELECT alias FROM registered_model_aliases"),
    ]
    codes = [kill_at(moment, words, environment) for moment in moments]
    last = subprocess.run(  # noqa: S603  # our own words
        words, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    return Killed(home, codes, last)


def kill_at(moment: Callable[[], bool], words: list[str], environment: dict[str, str]) -> int:
    """Start a pipeline, end it at a moment, and return its exit status."""
    end = time.monotonic() + _PATIENCE
    with subprocess.Popen(  # noqa: S603  # our own words
        words, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        while process.poll() is None and time.monotonic() < end and not moment():
            time.sleep(0.005)
        process.kill()
    return process.returncode


def rows(home: Path, query: str) -> list[tuple[Any, ...]]:
    """Ask the registry's file; nothing where it isn't there yet."""
    database = home / "mlflow" / "mlflow.db"
    if not database.is_file():
        return []
    with closing(sqlite3.connect(database)) as connection:
        try:
            return connection.execute(query).fetchall()
        except sqlite3.OperationalError:
            return []


def test_each_process_but_the_last_was_killed(killed: Killed) -> None:
    assert killed.codes == [-9, -9, -9, -9, -9]
    assert killed.last.returncode == 0, killed.last.stderr
    assert f"going on with {killed.home / RUN}" in killed.last.stderr


def test_there_is_one_run_and_it_is_finished(killed: Killed) -> None:
    assert rows(killed.home, "SELECT name, status FROM runs") == [("smoke/001", "FINISHED")]


def test_no_version_and_no_upload_is_doubled(killed: Killed) -> None:
    assert rows(killed.home, "SELECT version FROM model_versions ORDER BY version") == [(1,), (2,)]
    assert rows(killed.home, "SELECT name, status FROM logged_models ORDER BY name") == [
        ("emotion_classifier-fp32", 2),
        ("emotion_classifier-int8", 2),
    ]


def test_versions_are_those_of_an_uninterrupted_pipeline(killed: Killed, twice: Twice) -> None:
    for number in ("1", "2"):
        query = f"SELECT key, value FROM model_version_tags WHERE version = {number}"  # noqa: S608
        known = dict(rows(killed.home, query))
        expected = dict(twice.registry.version(number).tags)
        for tags in (known, expected):
            tags.pop("promoted", None)
        assert known == expected


def test_aliases_are_those_of_an_uninterrupted_pipeline(killed: Killed) -> None:
    query = "SELECT alias, version FROM registered_model_aliases ORDER BY alias"
    assert rows(killed.home, query) == [("challenger", 2), ("champion", 2)]


def test_figures_are_those_of_an_uninterrupted_pipeline(killed: Killed, twice: Twice) -> None:
    run = twice.registry.tracker.client.get_run(twice.registry.version("2").run_id)
    assert dict(rows(killed.home, "SELECT key, value FROM latest_metrics")) == run.data.metrics
    assert dict(rows(killed.home, "SELECT key, value FROM params")) == run.data.params


def test_curves_have_each_epoch_once(killed: Killed) -> None:
    assert rows(killed.home, "SELECT step FROM metrics WHERE key = 'loss'") == [(1,)]


def test_champion_is_exported(killed: Killed, twice: Twice) -> None:
    assert digest_of((killed.home / MODEL).read_bytes()) == twice.first.exported
    assert killed.last.stdout.splitlines()[-1] == str(killed.home / MODEL)
