"""The file that keeps the figures last measured, a part a benchmark."""

import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import click

results_option = click.option(
    "--results",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("benchmarks/results.json"),
    show_default=True,
    help="The file that the figures are written to.",
)


def write_figures(file: Path, part: str, figures: Mapping[str, object]) -> None:
    """Put one benchmark's figures into the file; those of others stay as they are."""
    kept = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    kept[part] = {
        "measured": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": len(os.sched_getaffinity(0)),
        **figures,
    }
    file.write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")
