from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from training.commands.main import main
from training.experiment import load_experiment

EXPERIMENT = """\
train: {stages: [{epochs: 1, size: 16}], batch_size: 8, limit: 16, precision: fp32}
tune: {search: {learning_rate: {low: 0.02, high: 0.2, log: true}}}
"""


def call(home: Path, *words: str | Path) -> Result:
    environment = {"RAPT_HOME": str(home), "MLFLOW_TRACKING_URI": None, "RAPT_TUNE_STORAGE": None}
    return CliRunner(env=environment).invoke(main, ["tune", *(str(word) for word in words)])


def write(folder: Path, text: str) -> Path:
    path = folder / "trial.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_tuning_ends_with_a_table_a_recipe_and_how_to_go_on(
    tmp_path: Path, parquet_folder: Path
) -> None:
    words = ("--data", parquet_folder, "--trials", "2", "--threads", "1", "--study", "first")
    result = call(tmp_path, "--config", write(tmp_path, EXPERIMENT), *words)
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    best = tmp_path / "tuning" / "first.yaml"
    assert lines[0] == "study first: 2 trials to run, over learning_rate"
    assert lines[1].startswith("trial 0  finished  val accuracy ")
    assert lines[4] == "trial  state     val accuracy  epochs  learning_rate"
    assert lines[-2:] == ["Go on with it:", f"    python -m training pipeline --config {best}"]
    assert load_experiment(best).train.batch_size == 8
    assert {path.name for path in (tmp_path / "tuning").iterdir()} >= {"studies.db", "first.yaml"}
    assert (tmp_path / "mlflow" / "mlflow.db").is_file()


@pytest.mark.parametrize(
    ("text", "words", "message"),
    [
        ("tune: {search: {mixing: {low: 0, high: 1}}}", (), "tune.search.mixing: no such key"),
        ("tune: {search: {dropout: {low: 1, high: 0}}}", (), "tune.search.dropout: low must be"),
        ("", ("--storage", "mysql://db/x"), "storage mysql://db/x: give sqlite:///FILE or"),
    ],
)
def test_what_can_not_be_tuned_is_refused_before_anything_is_made(
    tmp_path: Path, text: str, words: tuple[str, ...], message: str
) -> None:
    home = tmp_path / "home"
    result = call(home, "--config", write(tmp_path, text), *words)
    assert result.exit_code == 1
    assert result.stderr.startswith(f"Error: {message}")
    assert result.stderr.count("\n") == 1
    assert not home.exists()


def test_name_that_is_no_file_name_is_refused(tmp_path: Path) -> None:
    result = call(tmp_path, "--study", "../first")
    assert result.exit_code == 2
    assert "letters, digits, dots, dashes and underscores only" in result.stderr


def test_help_shows_examples_and_how_to_search() -> None:
    result = CliRunner().invoke(main, ["tune", "--help"])
    assert result.exit_code == 0
    assert "\n      python -m training tune --trials 30\n" in result.stdout
    assert "\n          learning_rate: {low: 0.02, high: 0.2, log: true}\n" in result.stdout


def test_teachers_that_are_not_there_are_told_before_the_study_begins(
    tmp_path: Path, parquet_folder: Path
) -> None:
    text = EXPERIMENT.replace("train: {", "train: {teachers: [no/run], taught: 0.5, ")
    result = call(tmp_path, "--config", write(tmp_path, text), "--data", parquet_folder)
    assert result.exit_code == 1
    assert "no/run holds no run to learn from" in result.stderr
    assert "study" not in result.stdout
