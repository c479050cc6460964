"""``python -m service.kafka``: takes jobs from Kafka and tells it of their ends, until told to end.

A process of its own, not a thread of the workers: those are scaled by how many jobs wait, down to
none, and then nobody would take requests in.
"""

import sys
import threading

import structlog

from service.jobs.desk import Desk
from service.jobs.opened import opened_folder
from service.kafka.bridge import Bridge
from service.settings import load_settings
from service.until_told import run_until_told

log = structlog.get_logger()


def main(ending: threading.Event) -> None:
    """Run it until an event is set.

    Raises:
        InvalidRequest: there is no Kafka in the settings, or the database or bucket can't be used.
        StorageFailed: the data folder can't be opened.
    """
    settings = load_settings()
    with opened_folder(settings) as folder:
        bridge = Bridge(folder, Desk(folder, settings), settings)
        log.info("kafka_bridge_started", servers=settings.kafka_servers)
        bridge.run_until(ending)
        log.info("kafka_bridge_ended")


if __name__ == "__main__":
    sys.exit(run_until_told(main))
