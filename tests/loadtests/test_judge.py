import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from loadtests.endpoints import ENDPOINTS, PHOTO_HTTP
from loadtests.judge import main


def written(file: Path, milliseconds: int) -> Path:
    """Locust's file of a steady run in which each endpoint answered ten calls in the same time."""
    entries = [
        {
            "method": "steady",
            "name": name,
            "num_requests": 10,
            "num_failures": 0,
            "response_times": {str(milliseconds): 10},
        }
        for name in ENDPOINTS
    ]
    file.write_text(json.dumps(entries))
    return file


@pytest.mark.parametrize(
    ("milliseconds", "status", "said"),
    [
        (500, 0, "steady: all service levels kept"),
        (600, 1, "steady: 2 service levels missed"),  # p95 of a photo, over HTTP and gRPC.
    ],
)
def test_figures_of_several_machines_are_judged(
    tmp_path: Path, milliseconds: int, status: int, said: str
) -> None:
    file = written(tmp_path / "steady.json", milliseconds)
    result = CliRunner().invoke(main, [str(file), "--shape", "steady"])
    assert (result.exit_code, result.output.splitlines()[-1]) == (status, said)


def test_the_table_has_a_line_for_each_endpoint(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, [str(written(tmp_path / "f", 500)), "--shape", "steady"])
    assert f"| steady   | {PHOTO_HTTP:<26} |       10 |       0 |      0 |    500 " in result.output


def test_figures_of_another_shape_are_missed_ones(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, [str(written(tmp_path / "f", 500)), "--shape", "soak"])
    assert result.exit_code == 1
    assert f"missed: soak: {PHOTO_HTTP}: nothing was asked" in result.output


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "isn't what locust --json-file writes."),
        ('{"a": 1}', "isn't what locust --json-file writes."),
        ('[{"method": "steady"}]', "isn't what locust --json-file writes."),
        (
            '[{"method": "GET", "name": "/", "num_requests": 1, "num_failures": 0, '
            '"response_times": {}}]',
            "is of other users, who asked /.",
        ),
    ],
)
def test_another_file_is_refused(tmp_path: Path, content: str, said: str) -> None:
    file = tmp_path / "figures.json"
    file.write_text(content)
    result = CliRunner().invoke(main, [str(file), "--shape", "steady"])
    assert (result.exit_code, result.output) == (1, f"Error: {file} {said}\n")
