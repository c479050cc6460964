"""Looks at a split part by part, and keeps each part, so that what was cut off goes on.

A part is a prepared file of the next ``PART_SAMPLES`` samples. All of them are removed when the
split stands; what comes out is the same, to the byte, however often it was cut off.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from training.data.finders import FaceFinder
from training.data.prepared import LeftOut, Row, inputs_of, left_out_of, read_rows, write_split
from training.data.samples import Sample

# Some ten seconds of work on one core, and 4 MB.
PART_SAMPLES = 1000


@dataclass(frozen=True, slots=True)
class Part:
    """What was seen of samples that follow each other.

    Attributes:
        rows: those that can be used.
        left_out: those that can't.
    """

    rows: list[Row]
    left_out: list[LeftOut]


def parts_folder(folder: Path, name: str) -> Path:
    """Return where the parts of a split are kept in a prepared folder while it is looked at."""
    return folder / f".{name}.parts"


def look_at_split(
    name: str,
    samples: Sequence[Sample],
    finder: FaceFinder,
    threads: int,
    folder: Path,
    inputs: str,
) -> Part:
    """Look at all samples of a split that no part has yet, with a progress bar.

    Args:
        name: of the split.
        samples: all of it, in order.
        finder: finds the faces.
        threads: how many samples are looked at at once: ONNX Runtime and OpenCV let Python's
            lock go.
        folder: where the prepared data goes; the parts are kept in it.
        inputs: names all that the split depends on; a part of other inputs is written anew.
    """
    place = parts_folder(folder, name)
    place.mkdir(exist_ok=True)
    whole = Part([], [])
    pool = ThreadPoolExecutor(threads)
    try:
        with tqdm(total=len(samples), desc=f"looking at {name}", unit="image") as progress:
            for start in range(0, len(samples), PART_SAMPLES):
                some = samples[start : start + PART_SAMPLES]
                path, own = place / f"{start}.parquet", f"{inputs} {start} {len(some)}"
                if inputs_of(path) != own:
                    _write(path, own, _looks(some, finder, pool, progress.update))
                else:
                    progress.update(len(some))
                whole.rows.extend(read_rows(path))
                whole.left_out.extend(left_out_of(path))
    finally:
        pool.shutdown(cancel_futures=True)
    return whole


def _looks(
    samples: Sequence[Sample],
    finder: FaceFinder,
    pool: ThreadPoolExecutor,
    tell: Callable[[], object],
) -> Iterator[Row | LeftOut]:
    for look in pool.map(lambda sample: sample.look(finder), samples):
        tell()
        yield look


def _write(path: Path, inputs: str, looks: Iterable[Row | LeftOut]) -> None:
    seen = list(looks)
    rows = [look for look in seen if isinstance(look, Row)]
    left_out = [look for look in seen if isinstance(look, LeftOut)]
    write_split(path, rows, left_out, inputs, set())
