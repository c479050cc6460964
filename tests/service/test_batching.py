import pytest
from bentoml._internal.marshal.dispatcher import Optimizer

from service.batching import hold_nothing_back


def test_bentomls_dispatchers_are_told_that_nothing_has_ever_waited(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Optimizer, "wait", 1.0, raising=False)  # As it was, after this test.
    before = Optimizer(max_latency=1.0)
    hold_nothing_back()
    for optimizer in (before, Optimizer(max_latency=1.0)):
        for _ in range(9):
            optimizer.log_outbound(n=1, wait=5.0, duration=0.1)
        optimizer.trigger_refresh()  # type: ignore[no-untyped-call]  # BentoML's
        assert optimizer.wait == 0
