from pathlib import Path

import pytest

from tests.training.smoke import MODEL, Twice
from training.errors import CheckpointError, PipelineError
from training.experiment import Experiment, load_experiment
from training.pipeline.run import Plan, run_pipeline
from training.recipe import Recipe
from training.registry.tracking import Tracker, flattened

pytestmark = pytest.mark.timeout(600)


def plan_of(recipe: Recipe, folder: Path) -> Plan:
    return Plan(
        name="trial",
        experiment=Experiment(train=recipe),
        home=folder / "home",
        built_in=folder,
        repository=folder / "repository",
        device="cpu",
        threads=1,
    )


def test_network_that_can_not_be_served_is_refused_before_all_work(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match="trial: its network is too dear to be served"):
        run_pipeline(
            plan_of(Recipe(network="fine"), tmp_path), Tracker("http://127.0.0.1:9"), print
        )
    assert not list(tmp_path.iterdir())


def test_pipeline_whose_teachers_are_not_there_has_not_begun(tmp_path: Path) -> None:
    recipe = Recipe(teachers=(tmp_path / "none",), taught=0.5)
    tracker = Tracker(f"sqlite:///{tmp_path}/mlflow.db")
    with pytest.raises(CheckpointError, match="none holds no run to learn from"):
        run_pipeline(plan_of(recipe, tmp_path), tracker, print)
    assert [path.name for path in (tmp_path / "home/runs/trial").iterdir()] == [".lock"]


def test_first_pipeline_makes_a_champion(twice: Twice) -> None:
    lines = twice.first.result.stdout.splitlines()
    assert lines[-2].startswith("promoted: version 2 (")
    assert lines[-1] == str(twice.home / MODEL)
    assert twice.first.champion == "2"
    champion = twice.registry.version("2")
    assert champion.precision == "int8"
    assert champion.sha256 == twice.first.exported
    assert champion.tags["gate_reasons"] == "No champion yet."
    assert champion.trial == 16


def test_second_pipeline_is_refused_and_ends_well(twice: Twice) -> None:
    last = twice.second.result.stdout.splitlines()[-1]
    assert last.startswith("not promoted: version 4 (")
    assert "It is not right more often: it gains 0 images and loses 0." in last
    assert twice.second.result.exit_code == 0
    assert twice.second.champion == "2"
    assert twice.registry.version("4").tags["gate"] == "refused"


def test_refused_challenger_leaves_the_exported_files_alone(twice: Twice) -> None:
    assert twice.second.exported == twice.first.exported
    assert twice.second.exported_at == twice.first.exported_at


def test_decision_is_printed_as_a_table(twice: Twice) -> None:
    lines = twice.second.result.stdout.splitlines()
    assert lines[0].startswith("champion    ")
    assert lines[1].startswith("challenger  ")
    assert lines[3].split() == ["images", "champion", "challenger", "difference"]
    assert lines[4].startswith("accuracy ")


def test_a_pipeline_takes_less_than_a_minute(twice: Twice) -> None:
    # Of CPU: a machine that is busy with other work takes longer by the clock.
    assert twice.first.cpu_seconds < 60


def test_each_pipeline_has_a_folder_of_its_own(twice: Twice) -> None:
    runs = twice.home / "runs" / "smoke"
    assert sorted(path.name for path in runs.iterdir()) == [".lock", "001", "002"]
    assert "beginning" in twice.second.result.stderr
    assert {path.name for path in (runs / "001").iterdir()} == {
        "best.pt", "candidate", "checkpoint.pt", "data.sha256", "decision.json",
        "evaluated.txt", "finished.json", "history.jsonl", "pipeline.json", "recipe.yaml",
    }  # fmt: skip


def test_each_pipeline_is_one_run_in_mlflow(twice: Twice) -> None:
    client = twice.registry.tracker.client
    experiment = client.get_experiment_by_name("smoke")
    assert experiment is not None
    runs = client.search_runs([experiment.experiment_id])
    assert sorted(run.info.run_name for run in runs) == ["smoke/001", "smoke/002"]
    assert {run.info.status for run in runs} == {"FINISHED"}


def test_run_holds_parameters_figures_curves_and_pictures(twice: Twice) -> None:
    client = twice.registry.tracker.client
    run = client.get_run(twice.registry.version("2").run_id)
    assert run.data.params["train.batch_size"] == "8"
    assert run.data.params["data.source"].endswith("parquet0")
    assert len(run.data.params) == len(flattened(load_experiment(None)))
    assert len(run.data.tags["data"]) == 64
    assert run.data.tags["commit"]
    assert {"loss", "val_accuracy", "learning_rate", "val_accuracy_fp32", "val_accuracy_int8",
            "served/val_accuracy", "served/val_ece", "served/val_macro_f1"} <= set(
        run.data.metrics
    )  # fmt: skip
    assert [point.step for point in client.get_metric_history(run.info.run_id, "loss")] == [1]
    assert {entry.path for entry in client.list_artifacts(run.info.run_id)} == {
        "history", "plots", "val.txt",
    }  # fmt: skip
    assert {entry.path for entry in client.list_artifacts(run.info.run_id, "plots")} == {
        "plots/confusion.png", "plots/reliability.png",
    }  # fmt: skip


def test_nothing_is_measured_on_the_test_split(twice: Twice) -> None:
    run = twice.registry.tracker.client.get_run(twice.registry.version("2").run_id)
    assert [name for name in run.data.metrics if "test" in name] == []
