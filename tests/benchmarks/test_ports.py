import socket
from itertools import cycle

import pytest

from benchmarks import ports
from benchmarks.ports import free_ports


def test_ports_differ_and_may_be_listened_on_but_not_connected_from() -> None:
    found = free_ports(4)
    assert len(set(found)) == 4
    assert all(20_000 <= port < 32_000 for port in found)
    for port in found:
        socket.create_server(("127.0.0.1", port)).close()


def test_a_port_on_which_somebody_listens_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    taken, free = free_ports(2)
    monkeypatch.setattr(ports, "_candidates", cycle([taken, free]))
    with socket.create_server(("127.0.0.1", taken)):
        assert free_ports(1) == [free]
