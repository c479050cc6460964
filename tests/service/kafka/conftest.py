from collections.abc import Iterator

import pytest

from tests.kafka_server import KafkaServer, kafka_server


@pytest.fixture
def kafka() -> Iterator[KafkaServer]:
    """A broker of the test's own, with the topics of jobs."""
    with kafka_server() as server:
        server.make_topics()
        yield server
