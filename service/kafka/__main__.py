"""``python -m service.kafka``: takes jobs from Kafka and tells it of their ends, until told to end.

A process of its own, not a thread of the workers: those are scaled by how many jobs wait, down to
none, and then nobody would take requests in.
"""

import signal
import sys
import threading

import structlog

from emotion.errors import RaptError
from service.jobs.desk import Desk
from service.jobs.opened import opened_folder
from service.kafka.bridge import Bridge
from service.logs import set_up_logging
from service.settings import load_settings

log = structlog.get_logger()


def main() -> int:
    """Run it; return its exit status."""
    set_up_logging()
    ending = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ending.set())
    try:
        settings = load_settings()
        with opened_folder(settings) as folder:
            bridge = Bridge(folder, Desk(folder, settings), settings)
            log.info("kafka_bridge_started", servers=settings.kafka_servers)
            bridge.run_until(ending)
            log.info("kafka_bridge_ended")
    except RaptError as error:
        sys.stderr.write(f"Error: {error.message}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
