from pathlib import Path

import optuna
import pytest
import yaml
from optuna import Study
from optuna.distributions import FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial

from training.errors import TuningError
from training.experiment import Experiment, GateRecipe, load_experiment
from training.recipe import AugmentationRecipe, Recipe
from training.tuning.outcome import as_experiment, as_table, best_of, count_left, write

SPACE = {"augmentation.mixup": FloatDistribution(0, 1), "batch_size": IntDistribution(2, 256)}


def ended(state: TrialState, mixup: float, *accuracies: float) -> FrozenTrial:
    return create_trial(
        state=state,
        value=max(accuracies) if state is TrialState.COMPLETE else None,
        params={"augmentation.mixup": mixup, "batch_size": 64},
        distributions=SPACE,
        intermediate_values=dict(enumerate(accuracies, start=1)),
    )


@pytest.fixture
def study() -> Study:
    known = optuna.create_study(direction="maximize", study_name="drawn")
    known.add_trials(
        [
            ended(TrialState.COMPLETE, 0.1, 0.25, 0.5),
            ended(TrialState.PRUNED, 0.2, 0.75),
            ended(TrialState.COMPLETE, 0.3, 0.625, 0.5),
            ended(TrialState.FAIL, 0.4),
            create_trial(state=TrialState.WAITING),
        ]
    )
    return known


def test_table_has_finished_trials_first_and_the_best_before_the_others(study: Study) -> None:
    assert as_table(study).splitlines() == [
        "trial  state     val accuracy  epochs  augmentation.mixup  batch_size",
        "2      finished  62.50%        2       0.3                 64",
        "0      finished  50.00%        2       0.1                 64",
        "1      pruned    75.00%        1       0.2                 64",
    ]


def test_best_trial_is_one_that_finished(study: Study) -> None:
    assert best_of(study).number == 2


def test_of_equally_good_trials_the_first_is_the_best(study: Study) -> None:
    study.add_trial(ended(TrialState.COMPLETE, 0.9, 0.625))
    assert best_of(study).number == 2


def test_study_without_a_finished_trial_has_no_best() -> None:
    study = optuna.create_study(direction="maximize", study_name="drawn")
    study.add_trial(ended(TrialState.PRUNED, 0.2, 0.75))
    with pytest.raises(TuningError, match="study drawn: no trial has finished; MLflow has"):
        best_of(study)


def test_what_is_left_are_the_waiting_and_the_running(study: Study) -> None:
    assert count_left(study) == 1


def test_best_recipe_is_written_as_an_experiment_of_differences(
    study: Study, tmp_path: Path
) -> None:
    tuned = Experiment(train=Recipe(seed=7), gate=GateRecipe(recall_margin=0.01))
    path = tmp_path / "tuning" / "drawn.yaml"
    write(as_experiment(tuned, best_of(study)), path)
    expected = Recipe(seed=7, batch_size=64, augmentation=AugmentationRecipe(mixup=0.3))
    assert load_experiment(path) == tuned.model_copy(update={"train": expected})
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# Trial 2: 62.50% on val.\n")
    assert yaml.safe_load(text) == {
        "train": {"seed": 7, "batch_size": 64, "augmentation": {"mixup": 0.3}},
        "gate": {"recall_margin": 0.01},
    }
