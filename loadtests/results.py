"""What came of a run: Locust's figures, one row a stage and endpoint."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loadtests.endpoints import ENDPOINTS, of_refused


@dataclass(frozen=True, slots=True)
class Row:
    """What came of the calls to an endpoint that began in a stage.

    Attributes:
        stage: its name.
        endpoint: its name.
        answered: calls that were answered as they should be.
        refused: calls that were told to come again (429 or 503, RESOURCE_EXHAUSTED).
        failed: all others.
        times: of the calls that were not refused, how many took so many milliseconds; Locust
            rounds them to two digits.
    """

    stage: str
    endpoint: str
    answered: int
    refused: int
    failed: int
    times: Mapping[int, int]

    @property
    def calls(self) -> int:
        """All of them."""
        return self.answered + self.refused + self.failed

    def percentile(self, share: float) -> int:
        """Return the milliseconds that this share of the calls took at most; 0 without calls."""
        wanted, counted, time = share * sum(self.times.values()), 0, 0
        for time in sorted(self.times):
            counted += self.times[time]
            if counted >= wanted:
                break
        return time


def read_results(file: Path) -> list[Row]:
    """Read what ``locust --json-file`` wrote.

    Raises:
        OSError: there is none.
        ValueError: Locust didn't write it, or had other users.
    """
    try:
        rows = rows_of(json.loads(file.read_text(encoding="utf-8")))
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{file} isn't what locust --json-file writes.") from error
    if odd := {row.endpoint for row in rows} - set(ENDPOINTS):
        raise ValueError(f"{file} is of other users, who asked {', '.join(sorted(odd))}.")
    return rows


def rows_of(entries: Iterable[Mapping[str, Any]]) -> list[Row]:
    """Bring the entries of an endpoint together: Locust's method is the stage."""
    rows: dict[tuple[str, str], Row] = {}
    for entry in entries:
        stage, name = entry["method"], entry["name"]
        refused_of = of_refused(name)
        endpoint = refused_of or name
        row = rows.get((stage, endpoint), Row(stage, endpoint, 0, 0, 0, {}))
        if refused_of:
            row = Row(stage, endpoint, row.answered, entry["num_requests"], row.failed, row.times)
        else:
            failed = entry["num_failures"]
            times = {int(time): count for time, count in entry["response_times"].items()}
            answered = entry["num_requests"] - failed
            row = Row(stage, endpoint, answered, row.refused, failed, times)
        rows[stage, endpoint] = row
    return list(rows.values())
