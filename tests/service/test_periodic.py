import threading

from service.periodic import Periodic


class Work:
    """Says when it has been done so often."""

    def __init__(self, times: int) -> None:
        self.left = times
        self.done = threading.Event()

    def __call__(self) -> None:
        self.left -= 1
        if self.left == 0:
            self.done.set()


def test_work_is_done_at_once_however_long_the_time_between() -> None:
    work = Work(times=1)
    periodic = Periodic("work", work, seconds=3600)
    assert not work.done.is_set()
    periodic.start()
    assert work.done.wait(10)
    periodic.stop()
    assert work.left == 0


def test_work_is_done_again_and_again_until_it_is_stopped() -> None:
    work = Work(times=3)
    periodic = Periodic("work", work, seconds=0.001)
    periodic.start()
    assert work.done.wait(10)
    periodic.stop()
    left = work.left
    assert not work.done.wait(0.01) or work.left == left


def test_work_that_fails_is_done_again() -> None:
    work = Work(times=2)

    def fail() -> None:
        work()
        raise ValueError("why")

    periodic = Periodic("work", fail, seconds=0.001)
    periodic.start()
    assert work.done.wait(10)
    periodic.stop()
