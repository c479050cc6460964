"""The stages that the pipeline alone has: its run in MLflow, training, evaluation, the gate."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import torch
from pydantic import ValidationError

from training.data.dataset import Fer2013, copies_in, without_leaks
from training.errors import RegistryError, TrainingError
from training.evaluation.decision import Decision, as_json, read_decision
from training.evaluation.metrics import Evaluation
from training.evaluation.metrics import evaluate as judge_answers
from training.evaluation.plots import confusion_picture, reliability_picture
from training.evaluation.report import as_table
from training.export.candidate import Candidate
from training.export.onnx_classifier import open_classifier
from training.fitting.checkpoint import RunFolder, best_weights, read_history
from training.fitting.fit import fit
from training.pipeline.place import DECISION, EVALUATED, Place
from training.recipe import Recipe
from training.registry.promotion import still_stands
from training.registry.tracking import TrackedRun, Tracker, registry_errors
from training.registry.versions import Registry, Version

Say = Callable[[str], None]

KEY_TAG = "rapt.pipeline"


@contextmanager
def opened_run(
    tracker: Tracker,
    name: str,
    parameters: Mapping[str, str],
    place: Place,
    about: Mapping[str, str],
) -> Iterator[TrackedRun]:
    """Open the pipeline's one run in MLflow, and close it with what became of the pipeline.

    Args:
        tracker: where.
        name: of the experiment.
        parameters: what the run is made with.
        place: its key finds the run that an earlier process opened.
        about: further tags.
    """
    run = tracker.open_run(
        name,
        f"{name}/{place.folder.name}",
        parameters=parameters,
        tags={KEY_TAG: place.key, **about},
        run_id=_run_of(tracker, name, place.key),
    )
    try:
        yield run
    except TrainingError:
        # If it is MLflow that doesn't answer, the run stays open there until it is gone on with.
        with suppress(RegistryError):
            run.close("FAILED")
        raise
    run.close("FINISHED")


def train(
    recipe: Recipe,
    data: Fer2013,
    folder: Path,
    run: TrackedRun,
    device: torch.device,
    say: Say,
) -> Path:
    """Train, or go on training, and return the best epoch's weights.

    Curves go to MLflow after every epoch. Where it doesn't answer, training goes on, and they
    follow when it answers again.

    Raises:
        RegistryError: MLflow still doesn't answer when all epochs are done. They are on disk.
    """
    learned = without_leaks(data).first(recipe.limit)
    val = data.val.first(recipe.limit)
    for result in fit(recipe, learned, val, RunFolder(folder, resume=True), device):
        say(
            f"epoch {result.epoch + 1}/{recipe.epochs}  {result.size} px  "
            f"loss {result.loss:.4f}  val accuracy {result.val_accuracy:.2%}"
        )
        try:
            run.log_epochs(read_history(folder))
        except RegistryError as error:
            say(f"the curves wait: {error}")
    run.log_epochs(read_history(folder))
    return best_weights(folder)


def evaluate(
    candidate: Candidate, data: Fer2013, place: Place, run: TrackedRun, threads: int
) -> None:
    """Judge the file to be served on val, and keep figures and pictures with the run."""
    if place.read(EVALUATED) == run.run_id:
        return
    probabilities = open_classifier(candidate.model, threads).answer_all(data.val.images)
    result = judge_answers(probabilities, data.val, copies_in(data.val, data.train))
    run.log_figures({**candidate.figures, **_figures(result)})
    run.log_picture("plots/confusion.png", confusion_picture(result))
    run.log_picture("plots/reliability.png", reliability_picture(probabilities, data.val.labels))
    run.log_text("val.txt", as_table(result) + "\n")
    place.write(EVALUATED, run.run_id)


def gate(
    registry: Registry, version: Version, place: Place, ask: Callable[[], Decision]
) -> Decision:
    """Ask the gate, unless it has decided about this very challenger and champion.

    Args:
        registry: where both are.
        version: the challenger.
        place: keeps the decision.
        ask: the gate.
    """
    decision = _decided(place)
    if decision is None or not still_stands(registry, version, decision):
        decision = ask()
        place.write(DECISION, as_json(decision))
    return decision


def _run_of(tracker: Tracker, experiment: str, key: str) -> str | None:
    with registry_errors(tracker.uri):
        known = tracker.client.get_experiment_by_name(experiment)
        if known is None:
            return None
        found = tracker.client.search_runs([known.experiment_id], f"tags.`{KEY_TAG}` = '{key}'")
    return str(found[0].info.run_id) if found else None


def _figures(result: Evaluation) -> dict[str, float]:
    """Return the figures of the file to be served; those over no images are left out."""
    figures = {
        "accuracy": result.accuracy,
        "accuracy_without_copies": result.accuracy_without_copies,
        "ferplus_accuracy": result.ferplus_accuracy,
        "macro_f1": result.macro_f1,
        "ece": result.ece,
        **{f"recall_{emotion}": share for emotion, share in result.recall.items()},
        **{
            f"accuracy_{name.replace(' ', '_')}": one.accuracy
            for name, one in result.slices.items()
        },
    }
    return {f"served/val_{key}": value for key, value in figures.items() if value is not None}


def _decided(place: Place) -> Decision | None:
    text = place.read(DECISION)
    try:
        return None if text is None else read_decision(text)
    except ValidationError:
        # Of an older form: the gate is asked again.
        return None
