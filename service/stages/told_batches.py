"""Batches as a stage computes them: told in the trace of each request that has rows in one."""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

import structlog

from service.origins import Origin
from service.tracing.spans import batch_span

log = structlog.get_logger()


class Asked(Protocol):
    """A row of a batch."""

    @property
    def origin(self) -> Origin:
        """Who asked for it."""
        ...


Row = TypeVar("Row", bound=Asked)
Result = TypeVar("Result")


def told(
    stage: str, answer: Callable[[Sequence[Row]], list[Result]]
) -> Callable[[Sequence[Row]], list[Result]]:
    """Return the function that answers a stage's batches as one that tells of them.

    Where it fails, the log says whose requests fail with it.
    """

    def answer_and_tell(batch: Sequence[Row]) -> list[Result]:
        origins = [row.origin for row in batch]
        try:
            with batch_span(f"{stage} batch", origins, {"rapt.rows": len(batch)}):
                return answer(batch)
        except Exception as error:  # told, and passed on
            ids = sorted({one.request_id for one in origins if one.request_id})
            log.error("batch_failed", stage=stage, request_ids=ids, error=type(error).__name__)  # noqa: TRY400  # who asked logs the rest
            raise

    return answer_and_tell
