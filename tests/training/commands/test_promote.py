"""Promotion by hand and back, on what two smoke pipelines left: champion 2, challenger 4."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import Result

from tests.training.smoke import SMOKE, Twice, call

pytestmark = pytest.mark.timeout(600)


@dataclass(frozen=True)
class Story:
    """What each command said, in this order, and the challenger's tags after the forced one."""

    refused: Result
    without_reason: Result
    forced: Result
    again: Result
    back: Result
    too_far: Result
    champions: Mapping[str, str | None]
    tags: Mapping[str, str]


@pytest.fixture(scope="module")
def story(twice: Twice, parquet_folder: Path) -> Story:
    champions: dict[str, str | None] = {}

    def say(step: str, *words: str | Path) -> Result:
        result = call(*words, home=twice.home, url=twice.registry.tracker.uri)
        champion = twice.registry.champion()
        champions[step] = None if champion is None else champion.number
        return result

    promote = ("promote", "--config", SMOKE, "--data", parquet_folder, "--threads", "1")
    refused = say("refused", *promote)
    without_reason = say("without reason", *promote, "--force")
    forced = say("forced", *promote, "--version", "4", "--force", "--reason", "trying it")
    tags = twice.registry.version("4").tags
    again = say("again", *promote)
    back = say("back", "rollback", "--reason", "it was a trial")
    too_far = say("too far", "rollback")
    return Story(refused, without_reason, forced, again, back, too_far, champions, tags)


def test_refusal_is_exit_code_1_with_its_reasons_and_a_table(story: Story) -> None:
    assert story.refused.exit_code == 1
    assert "Error: version 4 (" in story.refused.stderr
    assert "It is not right more often: it gains 0 images and loses 0." in story.refused.stdout
    assert story.refused.stdout.startswith("champion    ")
    assert story.champions["refused"] == "2"


def test_force_without_a_reason_is_refused(story: Story) -> None:
    assert story.without_reason.exit_code == 1
    assert story.without_reason.stderr == (
        "Error: --force needs a --reason; it is recorded on the version\n"
    )
    assert story.champions["without reason"] == "2"


def test_forced_promotion_records_its_reason(story: Story) -> None:
    assert story.forced.exit_code == 0, story.forced.output
    assert story.forced.stdout.splitlines()[-1].startswith("promoted: version 4 (")
    assert story.champions["forced"] == "4"
    assert story.tags["forced"] == "trying it"
    assert story.tags["gate"] == "refused"


def test_champion_is_not_promoted_again(story: Story) -> None:
    assert story.again.exit_code == 1
    assert "is the champion already" in story.again.stderr


def test_rollback_puts_the_former_champion_back(story: Story, twice: Twice) -> None:
    assert story.back.exit_code == 0, story.back.output
    assert story.back.stdout.startswith("champion: version 2 (")
    assert ", in place of version 4 (" in story.back.stdout
    assert story.champions["back"] == "2"
    assert twice.registry.version("4").tags["rolled_back"] == "it was a trial"


def test_rollback_beyond_the_first_champion_is_refused(story: Story) -> None:
    assert story.too_far.exit_code == 1
    assert "has no former champion to go back to" in story.too_far.stderr
    assert story.champions["too far"] == "2"


@pytest.mark.parametrize("command", ["pipeline", "register", "promote", "rollback"])
def test_help_shows_an_example(command: str) -> None:
    result = call(command, "--help", home=Path(), url="")
    assert result.exit_code == 0
    assert f"\n      python -m training {command}" in result.stdout.replace("nice -n 19 ", "")


def test_registry_that_is_gone_is_told_before_anything_begins(tmp_path: Path) -> None:
    words = ("pipeline", "--config", SMOKE)
    result = call(*words, home=tmp_path, url="http://127.0.0.1:9")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: MLflow at http://127.0.0.1:9 doesn't answer")
    assert not (tmp_path / "runs").exists()
