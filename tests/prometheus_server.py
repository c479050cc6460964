"""A real Prometheus on a free port, which scrapes every other second, and its tool for rules.

Both come with Debian's package `prometheus`.
"""

import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from benchmarks.ports import free_ports

_START_SECONDS = 30.0
_SCRAPE_SECONDS = 60.0
_SCRAPES = 3
# Each may take all the time that there is to the next.
_INTERVAL = "2s"


def tool(name: str) -> str:
    """The path of `prometheus` or `promtool`; the test is skipped where there is none."""
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is absent; Debian's package `prometheus` has it")
    return path


@dataclass(frozen=True, slots=True)
class Prometheus:
    """A server that runs."""

    url: str

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The series that an expression comes to now."""
        response = httpx.get(f"{self.url}/api/v1/query", params={"query": expression}, timeout=10)
        body = response.json()
        assert body["status"] == "success", (expression, body)
        result: list[dict[str, Any]] = body["data"]["result"]
        return result

    def wait_for_scrapes(self, targets: int) -> None:
        """Wait until each target answers, and did so often enough for a rate."""
        end = time.monotonic() + _SCRAPE_SECONDS
        while len(self.query(f"up == 1 and sum_over_time(up[1m]) >= {_SCRAPES}")) < targets:
            assert time.monotonic() < end, self.query("up")
            time.sleep(0.2)


@contextmanager
def prometheus(folder: Path, targets: Mapping[str, str]) -> Iterator[Prometheus]:
    """Run a server while the block runs.

    Args:
        folder: an empty one, for what it keeps.
        targets: host and port of each job that is scraped, by its name.
    """
    command = tool("prometheus")
    jobs = [
        {"job_name": name, "static_configs": [{"targets": [target]}]}
        for name, target in targets.items()
    ]
    scraping = {"scrape_interval": _INTERVAL, "scrape_timeout": _INTERVAL}
    config = folder / "prometheus.yml"
    config.write_text(yaml.safe_dump({"global": scraping, "scrape_configs": jobs}))
    (port,) = free_ports(1)
    address = f"127.0.0.1:{port}"
    options = {
        "config.file": config,
        "storage.tsdb.path": folder / "data",
        "web.listen-address": address,
        "log.level": "error",
    }
    process = subprocess.Popen(  # noqa: S603  # our own words
        [command, *(f"--{name}={value}" for name, value in options.items())],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_until_ready(f"http://{address}", process)
        yield Prometheus(f"http://{address}")
    finally:
        process.terminate()
        process.wait(_START_SECONDS)


def _wait_until_ready(url: str, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + _START_SECONDS
    while True:
        assert process.poll() is None, "it ended"
        assert time.monotonic() < end, "it doesn't become ready"
        try:
            if httpx.get(f"{url}/-/ready", timeout=2).status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
