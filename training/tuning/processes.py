"""Several workers on one machine: processes that end with the one that started them.

Nothing heavy is imported here: a worker process imports torch, MLflow and Optuna for itself.
"""

# ruff: noqa: PLC0415

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import get_context, parent_process
from multiprocessing.context import SpawnProcess
from threading import Thread
from typing import TYPE_CHECKING

import click

from training.errors import TrainingError

if TYPE_CHECKING:
    from training.tuning.task import TuningTask

_GOODBYE_SECONDS = 60


@contextmanager
def interruptible() -> Iterator[None]:
    """Treat SIGTERM as Ctrl-C, so that a trial is given back and not left hanging."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def run_workers(task: "TuningTask", count: int) -> None:
    """Work on a study with several processes, and wait until all have ended.

    A worker that dies is reported by the state of the study: the others take its trial up.
    """
    context = get_context("spawn")
    workers = [context.Process(target=_work, args=(task,), daemon=True) for _ in range(count)]
    try:
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    finally:
        _end(workers)


def _end(workers: list[SpawnProcess]) -> None:
    running = [worker for worker in workers if worker.is_alive()]
    for worker in running:
        worker.terminate()
    for worker in running:
        worker.join(_GOODBYE_SECONDS)
        if worker.is_alive():
            worker.kill()
    for worker in workers:
        if worker.pid is not None:
            worker.join()
            worker.close()


def _work(task: "TuningTask") -> None:
    # Ctrl-C reaches the whole group, but when to end is said by who started us.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # The bars of several workers would overwrite each other. Read when tqdm is imported.
    os.environ["TQDM_DISABLE"] = "1"
    Thread(target=_end_with_parent, daemon=True).start()
    try:
        with interruptible():
            from training.tuning.worker import work

            work(task, click.echo)
    except TrainingError as error:
        click.echo(f"Error: worker {os.getpid()}: {error}", err=True)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(1)


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)
