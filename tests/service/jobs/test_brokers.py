"""What those who are connected to Kafka say of it, wherever jobs are kept."""

from concurrent.futures import ThreadPoolExecutor, wait
from functools import partial

from sqlalchemy import insert

from service.database.clock import Now
from service.database.tables import brokers
from service.jobs.brokers import Brokers
from service.jobs.opened import OpenedFolder


def test_what_was_said_last_holds_until_nobody_is_connected(folder: OpenedFolder) -> None:
    table = Brokers(folder.database)
    assert table.is_up() is None
    for is_up in (True, False, True):
        table.say(is_up=is_up)
        assert table.is_up() is is_up
    table.forget()
    assert table.is_up() is None


def test_of_two_that_say_it_first_at_once_neither_fails(folder: OpenedFolder) -> None:
    table = Brokers(folder.database)
    with ThreadPoolExecutor(1) as pool:
        with folder.database.begin() as connection:
            first = {"id": "kafka", "is_up": True, "said_at": Now()}
            connection.execute(insert(brokers).values(first))
            second = pool.submit(partial(table.say, is_up=True))
            # Time to find no row.
            wait([second], 0.5)
        second.result()
    assert table.is_up() is True
