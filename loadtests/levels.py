"""Service levels, and whether a run kept them."""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from loadtests.endpoints import ENDPOINTS
from loadtests.results import Row
from loadtests.shapes import SPIKE_TIMES, Shape

LEVELS = Path(__file__).with_name("levels.toml")
_P95, _P99 = 0.95, 0.99

_Positive = Annotated[float, Field(gt=0, allow_inf_nan=False, strict=True)]
_Share = Annotated[float, Field(ge=0, le=1, strict=True)]


@dataclass(frozen=True, slots=True)
class Level:
    """What is promised of an endpoint.

    Attributes:
        p95: milliseconds that 95 of 100 answers take at most.
        p99: the same of 99.
        errors: greatest share of calls that fail.
        refusals: greatest share of calls that are told to come again.
    """

    p95: _Positive
    p99: _Positive
    errors: _Share
    refusals: _Share

    __pydantic_config__ = ConfigDict(extra="forbid")


@dataclass(frozen=True, slots=True)
class Levels:
    """What is promised.

    Attributes:
        rate: requests a second of the steady load.
        goodput: least share of the steady rate's answers that a spike is answered.
        endpoints: by their names.
    """

    rate: _Positive
    goodput: _Positive
    endpoints: Mapping[str, Level]

    __pydantic_config__ = ConfigDict(extra="forbid")


_LEVELS = TypeAdapter(Levels)


def read_levels(file: Path = LEVELS) -> Levels:
    """Read the file of service levels.

    Raises:
        OSError: there is none.
        ValueError: it is no TOML, lacks something, or has something unknown or out of range.
    """
    read = tomllib.loads(file.read_text(encoding="utf-8"))
    try:
        levels = _LEVELS.validate_python(read)
    except ValidationError as error:
        raise ValueError(f"{file}: {'; '.join(map(_what, error.errors()))}") from error
    if odd := sorted(set(levels.endpoints) ^ set(ENDPOINTS)):
        raise ValueError(f"{file}: an endpoint is unknown or lacks its levels: {'; '.join(odd)}")
    return levels


def _what(error: Mapping[str, Any]) -> str:
    return f"{'.'.join(map(str, error['loc']))}: {error['msg']}"


def missed(levels: Levels, shape: Shape, rows: Sequence[Row]) -> list[str]:
    """Say which levels were missed, a sentence each; none if all were kept."""
    judged = {stage.name for stage in shape if stage.is_judged}
    found = [
        f"{row.stage}: {row.endpoint}: {what}"
        for row in rows
        if row.stage in judged
        for what in _missed_by(row, levels.endpoints[row.endpoint])
    ]
    # Whatever the load: a refusal says so, and is none of these.
    found += [
        f"{row.stage}: {row.endpoint}: {row.failed} calls failed"
        for row in rows
        if row.stage not in judged and row.failed
    ]
    asked = {(row.stage, row.endpoint) for row in rows if row.calls}
    found += [
        f"{stage}: {endpoint}: nothing was asked"
        for stage in sorted(judged)
        for endpoint in levels.endpoints
        if (stage, endpoint) not in asked
    ]
    return [*found, *_missed_by_spike(levels, shape, rows)]


def answers_a_second(stage: str, shape: Shape, rows: Sequence[Row]) -> float:
    """Return how many calls of a stage were answered, a second."""
    return sum(row.answered for row in rows if row.stage == stage) / _seconds(stage, shape)


def calls_a_second(stage: str, shape: Shape, rows: Sequence[Row]) -> float:
    """Return how many calls were made in a stage, a second."""
    return sum(row.calls for row in rows if row.stage == stage) / _seconds(stage, shape)


def _seconds(stage: str, shape: Shape) -> float:
    return next(one.seconds for one in shape if one.name == stage)


def _missed_by(row: Row, level: Level) -> Iterator[str]:
    for share, limit in ((_P95, level.p95), (_P99, level.p99)):
        if (time := row.percentile(share)) > limit:
            yield f"p{100 * share:.0f} is {time} ms, not {limit:g}"
    for count, limit, what in (
        (row.failed, level.errors, "failed"),
        (row.refused, level.refusals, "were refused"),
    ):
        if count > limit * row.calls:
            yield f"{count} of {row.calls} calls {what}"


def _missed_by_spike(levels: Levels, shape: Shape, rows: Sequence[Row]) -> Iterator[str]:
    if not any(stage.name == "spike" for stage in shape):
        return
    asked, steady = (calls_a_second(stage, shape, rows) for stage in ("spike", "before"))
    if asked < SPIKE_TIMES * steady:
        yield f"spike: {asked:.1f} calls a second are not {SPIKE_TIMES} times {steady:.1f}"
    answered, usual = (answers_a_second(stage, shape, rows) for stage in ("spike", "before"))
    if answered < levels.goodput * usual:
        yield (
            f"spike: {answered:.1f} answers a second are less than {100 * levels.goodput:.0f} % "
            f"of the {usual:.1f} before"
        )
