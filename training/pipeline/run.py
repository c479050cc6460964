"""prepare -> train -> package -> evaluate -> register -> gate -> promote -> export."""

from dataclasses import dataclass
from pathlib import Path

from training.data.dataset import Fer2013, Split, framed
from training.data.fer2013 import load_fer2013
from training.data.prepare import prepare
from training.errors import PipelineError
from training.evaluation.decision import Decision
from training.experiment import Experiment, as_served
from training.export.candidate import package
from training.export.provenance import code_commit, data_fingerprint
from training.fitting.device import use_device
from training.fitting.teachers import check_teachers
from training.pipeline.place import Place, opened_place
from training.pipeline.stages import Say, evaluate, gate, opened_run, train
from training.registry.built_in import BuiltIn
from training.registry.champion import begin_repository, export_champion
from training.registry.promotion import decide, promote
from training.registry.tracking import Tracker, flattened
from training.registry.versions import Registry, Version


@dataclass(frozen=True, slots=True)
class Plan:
    """What a pipeline is to do, and where.

    Attributes:
        name: of the experiment.
        experiment: all that decides what comes out.
        home: folder of data, runs and exported models.
        built_in: the model repository that comes with the project: its face detector prepares
            the data, its classifier is the first champion.
        repository: the model repository that the champion is written to; made from
            ``built_in`` if absent.
        device: where the network is trained, as torch spells it.
        threads: CPU threads for one operation.
    """

    name: str
    experiment: Experiment
    home: Path
    built_in: Path
    repository: Path
    device: str
    threads: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a pipeline.

    Attributes:
        folder: all its files.
        version: the challenger's.
        decision: the gate's.
        model: the exported champion's ``model.onnx``; None where the challenger was refused.
    """

    folder: Path
    version: Version
    decision: Decision
    model: Path | None


def run_pipeline(plan: Plan, tracker: Tracker, say: Say) -> Outcome:
    """Make a model, and let it be served if it is better than the one that is.

    A pipeline that was cut off anywhere goes on where it was; what is done is not done again.
    PrivateTest is read for its pixels alone, to drop its copies from what is learnt.

    Args:
        plan: what to do.
        tracker: the MLflow that runs and versions are kept in.
        say: takes a line for people.

    Raises:
        TrainingError: what a person can mend; the same command then goes on.
    """
    _check_network(plan)
    tracker.check()
    registry, built_in = Registry(tracker), BuiltIn(plan.built_in)
    experiment, threads = plan.experiment, plan.threads
    device = use_device(plan.device, threads)
    with opened_place(plan.home / "runs" / plan.name, experiment) as place:
        say(f"{'going on with' if place.resumed else 'beginning'} {place.folder}")
        _check_teachers(experiment, place)
        data = prepared(experiment, plan.home, plan.built_in, threads)
        learned = framed(data, experiment.train.framing)
        about = _about(learned)
        place.require_data(about["data"])
        if experiment == as_served(experiment):
            val = data.val
        else:
            val = judging_val(experiment, plan.home, plan.built_in, threads)
        with opened_run(tracker, plan.name, flattened(experiment), place, about) as run:
            weights = train(experiment.train, learned, place.folder, run, device, say)
            candidate = package(
                weights,
                learned,
                experiment.quantisation,
                place.folder / "candidate",
                smoothing=experiment.train.smoothing,
                threads=threads,
            )
            evaluate(candidate, learned, place, run, threads)
            versions = registry.register(candidate, run.run_id, experiment.train.limit)
            version = versions[candidate.served]
            decision = gate(
                registry,
                version,
                place,
                lambda: decide(registry, version, val, experiment.gate, built_in, threads),
            )
            model = None
            if decision.accepted:
                promote(registry, version, decision)
                begin_repository(plan.repository, plan.built_in)
                model = export_champion(registry, plan.repository)
        place.finish({"run_id": run.run_id, "version": version.number, "promoted": bool(model)})
    return Outcome(place.folder, version, decision, model)


def prepared(experiment: Experiment, home: Path, built_in: Path, threads: int) -> Fer2013:
    """Prepare an experiment's data, unless it lies there prepared, and read it as published.

    Args:
        experiment: names the data, and how many images a split to take.
        home: folder that prepared data lives in.
        built_in: the model repository with the face detector.
        threads: how many images are looked at at once.
    """
    folder = prepare(experiment.data, home, threads, built_in, experiment.train.limit)
    return load_fer2013(folder)


def judging_val(experiment: Experiment, home: Path, built_in: Path, threads: int) -> Split:
    """Return val as the gate asks it: as published, looked at by the detector that serves.

    Args: see ``prepared``.
    """
    return prepared(as_served(experiment), home, built_in, threads).val


def _about(data: Fer2013) -> dict[str, str]:
    return {
        "data": data_fingerprint(data),
        "commit": code_commit(Path(__file__).parent) or "unknown",
    }


def _check_network(plan: Plan) -> None:
    if plan.experiment.train.network != "served":
        raise PipelineError(
            f"{plan.name}: its network is too dear to be served. Make a teacher of it with "
            "`python -m training train`"
        )


def _check_teachers(experiment: Experiment, place: Place) -> None:
    """Refuse what could only fail later; one that goes on may have asked them already."""
    if not place.resumed:
        check_teachers(experiment.train)
