from pathlib import Path
from threading import Event, Thread

import pytest

from training.data.turns import own_turn


def test_another_waits_until_the_turn_ends(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    came = Event()

    def come() -> None:
        with own_turn(tmp_path):
            came.set()

    other = Thread(target=come)
    with own_turn(tmp_path):
        other.start()
        assert not came.wait(0.3)
    assert came.wait(10)
    other.join()
    assert f"waiting for another process that works in {tmp_path}" in capfd.readouterr().err


def test_turn_that_failed_is_over(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no"), own_turn(tmp_path / "new"):
        raise ValueError("no")
    with own_turn(tmp_path / "new"):
        pass
