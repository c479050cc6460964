import json
from pathlib import Path

import pytest
import yaml

from benchmarks.sizing import (
    IN_FLIGHT,
    WAITING,
    Costs,
    as_table,
    busy_behind,
    busy_with,
    pods,
)

PROJECT = Path(__file__).resolve().parents[2]
SCALERS = PROJECT / "k8s" / "components" / "autoscaling-keda"


def threshold(name: str) -> float:
    """What an autoscaler is set to."""
    body = yaml.safe_load((SCALERS / f"scaledobject-{name}.yaml").read_text(encoding="utf-8"))
    return float(body["spec"]["triggers"][0]["metadata"]["threshold"])


def test_four_in_flight_are_a_server_that_is_busy_four_fifths() -> None:
    assert busy_with(4.0) == pytest.approx(0.8)


@pytest.mark.parametrize("busy", [0.1, 0.5, 0.9])
def test_who_is_so_busy_has_so_many_before_it(busy: float) -> None:
    assert busy_behind(busy**2 / (1 - busy)) == pytest.approx(busy)


def test_pods_are_busy_as_wanted_and_never_fewer_than_the_least() -> None:
    assert pods(100.0, 0.02, busy=0.8) == 3
    assert pods(100.0, 0.02, busy=0.8, cores=2.0) == 2
    assert pods(0.1, 0.02, busy=0.8) == 2
    assert pods(0.1, 0.02, busy=0.8, least=1) == 1


def test_a_hundred_times_the_load_takes_a_hundred_times_the_pods_or_a_little_less() -> None:
    *_, tenth, last = as_table(Costs(0.02, 0.015, 0.03, 0.23))
    assert tenth == "| 100 | 3 | 2 | 3 | 1,000 | 12 |"
    assert last == "| 1,000 | 25 | 19 | 21 | 10,000 | 120 |"


def test_a_front_before_triton_is_counted_with_what_it_takes_of_the_same_photos() -> None:
    row = {"topology": "triton", "transport": "http", "clients": 8}
    results = {
        "photo_cost": {
            "service": [
                {**row, "topology": "inline", "server_ms": 20.0, "front_ms": 20.0},
                {**row, "server_ms": 43.0, "front_ms": 12.0},
            ]
        },
        "video_speed": {"videos": [{"name": "1080p street, 8 faces", "cpu": 6.0, "seconds": 30.0}]},
    }
    assert Costs.of(results) == Costs(
        inline=0.02, triton_front=0.012, triton=0.043 - 0.012, video=0.2
    )


def test_autoscalers_are_set_to_what_is_counted_with() -> None:
    assert threshold("front") == IN_FLIGHT
    assert threshold("triton") == WAITING


def test_the_page_has_the_table_of_the_figures_last_measured() -> None:
    figures = json.loads((PROJECT / "benchmarks" / "results.json").read_text(encoding="utf-8"))
    page = (PROJECT / "docs" / "operations.md").read_text(encoding="utf-8")
    assert "\n".join(as_table(Costs.of(figures))) in page
