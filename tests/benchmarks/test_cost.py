"""What things cost is what the figures and the prices come to, and the page says so."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from benchmarks.cost import main, page_of
from benchmarks.costing import (
    fleet,
    million_photos,
    study_hours,
    thousand_video_hours,
    training_hours,
    year_of_models,
)
from benchmarks.prices import PriceFile, read_prices

PROJECT = Path(__file__).parents[2]
FIGURES: dict[str, Any] = {
    "currency": "EUR",
    "date": "2026-11-26",
    "source": "made up for tests",
    "prices": {
        "core_hour": 0.04,
        "memory_gib_hour": 0.005,
        "object_gib_month": 0.02,
        "thousand_writes": 0.01,
        "thousand_reads": 0.001,
        "ingress_gib": 0.01,
        "egress_gib": 0.1,
    },
    "photos": {"mib": 0.5, "answer_kib": 1024.0},
    "videos": {
        "gib_an_hour": 1.0,
        "minutes_a_video": 30.0,
        "upload_hours": 7.3,
        "report_mib": 1.024,
        "report_days": 365.0 / 12,
        "reads_a_report": 5.0,
    },
    "pods": {
        "utilisation": 0.5,
        "memory_gib_a_core": 2.0,
        "cores_a_front": 2.0,
        "rollout_minutes": 6.0,
    },
    "training": {
        "epoch_seconds": {32: 90.0, 40: 90.0, 48: 180.0},
        "cores": 2.0,
        "prepare_core_seconds": 360.0,
        "trials_a_study": 10,
        "pruned_share": 0.4,
        "data_gib": 3.0,
        "model_mib": 51.2,
        "versions_kept": 40,
        "trainings_a_year": 12,
        "studies_a_year": 2,
        "rollouts_a_year": 5,
    },
}


@pytest.fixture
def file() -> PriceFile:
    return PriceFile.model_validate(FIGURES)


def test_a_core_has_its_memory_and_is_not_always_busy(file: PriceFile) -> None:
    assert file.core_hour == pytest.approx(0.05)
    assert file.busy_core_hour == pytest.approx(0.10)


def test_a_million_photos_are_their_processor_time_and_their_answers(file: PriceFile) -> None:
    cost = million_photos(36.0, file)
    assert cost.core_hours == pytest.approx(10.0)
    assert cost.compute == pytest.approx(1.0)
    assert cost.transfer == pytest.approx(1e6 / 1024 * (0.1 + 0.5 * 0.01))
    assert cost.total == pytest.approx(cost.compute + cost.transfer)


def test_hours_of_video_are_their_time_uploads_reports_and_requests(file: PriceFile) -> None:
    cost = thousand_video_hours(360.0, file)
    assert cost.core_hours == pytest.approx(100.0)
    assert cost.compute == pytest.approx(10.0)
    # 10 GiB of uploads and 2 of reports at any time. Of each of 2,000 videos 64 parts, which are
    # begun and completed, and three reports are written; its size, its parts and five reports read.
    writes, reads = 2 * (64 + 2 + 3), 2 * (1 + 64 + 5)
    assert cost.storage == pytest.approx(12 * 0.02 + writes * 0.01 + reads * 0.001)
    assert cost.transfer == pytest.approx(1000 * 0.01 + 2 * 5 * 0.1)


def test_fronts_that_always_run_cost_alike_whatever_comes(file: PriceFile) -> None:
    one = fleet(2, 36.0, file)
    assert one.month == pytest.approx(2 * 2 * 730 * 0.05)
    assert one.photos == pytest.approx(2 * 2 * 730 * 0.5 * 100_000)


def test_a_training_is_the_default_recipes_epochs(file: PriceFile) -> None:
    # 20 epochs of 90 s and 14 of 180 s, on two cores, and the data once.
    assert training_hours(file) == pytest.approx((4320 * 2 + 360) / 3600)


def test_a_pruned_trial_is_a_quarter(file: PriceFile) -> None:
    assert study_hours(file) == pytest.approx((6 + 4 / 4) * 4320 * 2 / 3600)


def test_a_year_of_models_is_made_of_four_parts(file: PriceFile) -> None:
    assert year_of_models(3, file) == {
        "trainings": pytest.approx(12 * 2.5 * 0.05),
        "studies": pytest.approx(2 * 16.8 * 0.05),
        "keeping data and models": pytest.approx(5 * 12 * 0.02),
        "rollouts": pytest.approx(5 * 3 * 2 * 0.1 * 0.05),
    }


def test_a_part_that_is_not_full_is_a_request_too(file: PriceFile) -> None:
    longer = file.videos.model_copy(update={"gib_an_hour": 1.0 + 1e-6})
    one, other = (
        thousand_video_hours(360.0, file.model_copy(update={"videos": use})).storage
        for use in (file.videos, longer)
    )
    assert other - one == pytest.approx(2 * (0.01 + 0.001), rel=1e-3)


@pytest.mark.parametrize(
    ("was", "wrong", "why"),
    [
        ("core_hour =", "core_hours =", "prices.core_hour: Field required; prices.core_hours: "),
        ("cores_a_front = 2.0", "cores_a_front = inf", "pods.cores_a_front: Input should be a fin"),
        ("utilisation = 0.6", "utilisation = nan", "pods.utilisation: Input should be a finite nu"),
        (
            "40 = 117.0, ",
            "",
            "training.epoch_seconds: the default recipe has epochs of size 40 too",
        ),
        ("[prices]", "prices", "it is no TOML: "),
    ],
)
def test_a_price_file_that_makes_no_sense_is_refused_in_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, was: str, wrong: str, why: str
) -> None:
    monkeypatch.chdir(PROJECT)
    text = Path("benchmarks/prices.toml").read_text(encoding="utf-8")
    assert was in text
    prices, page = tmp_path / "prices.toml", tmp_path / "cost.md"
    prices.write_text(text.replace(was, wrong), encoding="utf-8")
    result = CliRunner().invoke(main, ["--prices", str(prices), "--into", str(page)])
    assert result.exit_code == 1
    assert result.stderr.startswith(f"Error: {prices} can't be used: {why}")
    assert len(result.stderr.splitlines()) == 1
    assert not page.exists()


def test_the_page_is_what_the_figures_come_to() -> None:
    results = json.loads((PROJECT / "benchmarks" / "results.json").read_text(encoding="utf-8"))
    page = page_of(results, read_prices(PROJECT / "benchmarks" / "prices.toml"))
    assert (PROJECT / "docs" / "cost.md").read_text(encoding="utf-8") == page, "make cost writes it"


def test_the_page_says_whose_prices_they_are(file: PriceFile) -> None:
    results = json.loads((PROJECT / "benchmarks" / "results.json").read_text(encoding="utf-8"))
    page = page_of(results, file).replace("\n", " ")
    assert "**The prices are examples**, in EUR: made up for tests; 2026-11-26." in page


def test_fewer_photos_cost_more_each_until_there_are_too_many(file: PriceFile) -> None:
    results = json.loads((PROJECT / "benchmarks" / "results.json").read_text(encoding="utf-8"))
    page = page_of(results, file).splitlines()
    (row,) = [line for line in page if line.startswith("| 2 | 146 | ")]
    # The answers, of a MiB each, and the photos are carried in any case.
    carried = 1e6 / 1024 * (0.1 + 0.5 * 0.01)
    costs = " | ".join(f"{146 / millions + carried:.2f}" for millions in (1, 10, 100))
    assert row.endswith(f" million | {costs} | too many |")


def test_a_reader_may_bring_other_prices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(PROJECT)
    text = Path("benchmarks/prices.toml").read_text(encoding="utf-8")
    prices, page = tmp_path / "prices.toml", tmp_path / "cost.md"
    prices.write_text(text.replace('currency = "USD"', 'currency = "SEK"'), encoding="utf-8")
    result = CliRunner().invoke(main, ["--prices", str(prices), "--into", str(page)])
    assert result.stdout == f"{page} is written.\n"
    assert "in SEK: " in page.read_text(encoding="utf-8").replace("\n", " ")
