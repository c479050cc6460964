import pickle
from collections.abc import Sequence

import pytest
from structlog.testing import capture_logs

from emotion.deadline import Deadline
from service.origins import Origin, coming_from
from service.stages.envelope import seal, unseal
from service.stages.tasks import DetectionTask
from service.stages.told_batches import told as told_batches
from tests.service.told_spans import ToldSpans, trace_of

TRACES = ("1" * 32, "2" * 32)
ORIGINS = [Origin(f"r{n}", f"00-{trace}-{'3' * 16}-01") for n, trace in enumerate(TRACES)]


def asked(*origins: Origin) -> list[DetectionTask]:
    """Rows as another process gets them."""
    tasks = []
    for origin in origins:
        with coming_from(origin):
            tasks.append(DetectionTask(b"a", Deadline()))
    rows: list[DetectionTask] = unseal(pickle.loads(pickle.dumps(seal(tasks))))  # noqa: S301  # ours
    return rows


def count(batch: Sequence[DetectionTask]) -> list[int]:
    return list(range(len(batch)))


def fail(batch: Sequence[DetectionTask]) -> list[int]:
    raise ZeroDivisionError


def test_a_batch_is_told_in_the_trace_of_each_request_that_has_rows_in_it(told: ToldSpans) -> None:
    answer = told_batches("stage", count)
    assert answer(asked(ORIGINS[0], ORIGINS[1], ORIGINS[0])) == [0, 1, 2]
    spans = told.end_with_all()
    assert [(one.name, trace_of(one)) for one in spans] == [
        ("stage batch", TRACES[0]),
        ("stage batch", TRACES[1]),
    ]
    assert [one.attributes for one in spans] == [{"rapt.rows": 3}] * 2


def test_where_it_fails_the_log_says_whose_requests_do() -> None:
    with capture_logs() as logs, pytest.raises(ZeroDivisionError):
        told_batches("stage", fail)(asked(*ORIGINS, Origin()))
    (one,) = logs
    assert (one["event"], one["stage"], one["request_ids"], one["error"]) == (
        "batch_failed",
        "stage",
        ["r0", "r1"],
        "ZeroDivisionError",
    )
