"""The folder of one pipeline: what makes it possible to be killed anywhere and to go on.

    $RAPT_HOME/runs/NAME/001/
        pipeline.json   the experiment in full, and the key by which MLflow knows the run
        data.sha256     fingerprint of the data it began with
        checkpoint.pt   and the other files of a training run (``training.fitting.checkpoint``)
        candidate/      the files that could be served (``training.export.candidate``)
        evaluated.txt   id of the run in MLflow that has the served file's figures
        decision.json   the gate's
        finished.json   what came of it; a folder that has it is never touched again

Every file but the training's history appears complete or not at all. Nothing of it is there before
the data are: a source that isn't found leaves nothing behind that would have to be deleted.
"""

import fcntl
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, ValidationError

from training.errors import PipelineError
from training.experiment import Experiment, with_defaults
from training.whole_files import write_whole

ACCOUNT = "pipeline.json"
DATA = "data.sha256"
EVALUATED = "evaluated.txt"
DECISION = "decision.json"
FINISHED = "finished.json"
_LOCK = ".lock"


@dataclass(frozen=True, slots=True)
class Place:
    """The folder of one pipeline.

    Attributes:
        folder: of this pipeline alone.
        key: known from the start, so that MLflow's run is found again if nothing else is.
        resumed: whether an earlier process began here.
        experiment: what a new pipeline's account is to say, once it begins.
    """

    folder: Path
    key: str
    resumed: bool
    experiment: Mapping[str, Any] = field(default_factory=dict)

    def read(self, name: str) -> str | None:
        """Return a file's text, or None where it isn't there yet."""
        path = self.folder / name
        return path.read_text(encoding="utf-8") if path.is_file() else None

    def write(self, name: str, text: str) -> None:
        """Write a file: all of it, or nothing."""
        write_whole(self.folder / name, text)

    def finish(self, outcome: Mapping[str, Any]) -> None:
        """Say what came of it, which ends the pipeline."""
        self.write(FINISHED, json.dumps(outcome, indent=2) + "\n")

    def require_data(self, fingerprint: str) -> None:
        """Begin with data, or go on with the data that the pipeline began with.

        Raises:
            PipelineError: it began with other data.
        """
        begun_with = self.read(DATA)
        if begun_with is None:
            if not self.resumed:
                self.folder.mkdir(exist_ok=True)
                account = Account(key=self.key, experiment=dict(self.experiment))
                self.write(ACCOUNT, account.model_dump_json(indent=2) + "\n")
            self.write(DATA, f"{fingerprint}\n")
        elif begun_with.strip() != fingerprint:
            raise PipelineError(
                f"{self.folder}: began with other data. Bring them back to go on, or delete the "
                "folder to begin anew"
            )


class Account(BaseModel):
    """The content of ``pipeline.json``."""

    model_config = ConfigDict(frozen=True)

    key: str
    experiment: dict[str, Any]


def read_account(folder: Path) -> Account | None:
    """Return what a pipeline's folder says of itself, or None where no pipeline began in it.

    Raises:
        PipelineError: its file is damaged.
    """
    path = folder / ACCOUNT
    try:
        return Account.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError as error:
        raise PipelineError(
            f"{path}: damaged. Bring it back from a copy, or delete {folder} to begin anew"
        ) from error


@contextmanager
def opened_place(runs: Path, experiment: Experiment) -> Iterator[Place]:
    """Go on with an experiment's unfinished pipeline, or begin the next; one process at a time.

    Args:
        runs: folder of the experiment's pipelines, numbered from 001; made if absent.
        experiment: all that decides what comes out.

    Raises:
        PipelineError: another process is at work here, or the unfinished pipeline is one of
            another experiment.
    """
    runs.mkdir(parents=True, exist_ok=True)
    with (runs / _LOCK).open("w") as lock:
        try:
            # Released by the kernel with the process, however that ends.
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise PipelineError(f"{runs}: another pipeline is at work here. Wait for it") from error
        yield _latest(runs, experiment) or _next(runs, experiment)


def _latest(runs: Path, experiment: Experiment) -> Place | None:
    """Return the unfinished pipeline, or None where the last one is finished or there is none."""
    begun = _numbers(runs)
    if not begun:
        return None
    folder = runs / _name(begun[-1])
    account = None if (folder / FINISHED).is_file() else read_account(folder)
    if account is None:
        return None
    wanted = experiment.model_dump(mode="json")
    known = with_defaults(account.experiment)
    if known != wanted:
        changed = ", ".join(_changed(known, wanted))
        raise PipelineError(
            f"{folder}: not finished, and of another experiment, which differs in {changed}. "
            "Take the change back to go on, delete the folder to begin anew, or give the changed "
            "file another name"
        )
    return Place(folder, account.key, resumed=True)


def _next(runs: Path, experiment: Experiment) -> Place:
    # A folder that has no account is one of a process that got no further.
    folder = runs / _name(max(_finished(runs), default=0) + 1)
    content = experiment.model_dump(mode="json")
    return Place(folder, uuid4().hex, resumed=False, experiment=content)


def _numbers(runs: Path) -> list[int]:
    return sorted(int(path.name) for path in runs.iterdir() if path.name.isdecimal())


def _finished(runs: Path) -> list[int]:
    return [number for number in _numbers(runs) if (runs / _name(number) / FINISHED).is_file()]


def _name(number: int) -> str:
    return f"{number:03d}"


def _changed(before: Mapping[str, Any], after: Mapping[str, Any], path: str = "") -> list[str]:
    """Return the dotted keys that differ."""
    changed: list[str] = []
    for key in sorted(before.keys() | after.keys()):
        old, new = before.get(key), after.get(key)
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            changed += _changed(old, new, f"{path}{key}.")
        elif old != new:
            changed.append(f"{path}{key}")
    return changed
