"""``python -m tests.kafka_reader SERVERS TOPIC GROUP`` prints what is read, a line each, for ever.

As a reader of ours would: a message is committed once it was dealt with.
"""

import sys

from confluent_kafka import Consumer

from tests.kafka_server import SESSION


def main(servers: str, topic: str, group: str) -> None:
    consumer = Consumer(
        {
            "bootstrap.servers": servers,
            "group.id": group,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            **SESSION,
        }
    )
    consumer.subscribe([topic])
    while True:
        message = consumer.poll(0.2)
        if message is not None and message.error() is None:
            sys.stdout.write((message.value() or b"").decode() + "\n")
            sys.stdout.flush()
            consumer.commit(message=message, asynchronous=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
