"""A worker as it is, but for the models: ``python -m tests.service.jobs.fake_worker``."""

import signal
import threading

from service.logs import set_up_logging
from service.settings import load_settings
from service.worker import work_until
from tests.service.jobs.fake_analyses import FakeAnalyses

if __name__ == "__main__":
    set_up_logging()
    ending = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ending.set())
    work_until(ending, load_settings(), FakeAnalyses())
