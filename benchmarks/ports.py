"""Ports for servers that measurements and tests start."""

import errno
import random
import socket
from contextlib import ExitStack
from itertools import cycle

# Below those that Linux gives to who connects (net.ipv4.ip_local_port_range, from 32768 on): a
# server may listen seconds after its port was chosen. No process chooses one twice.
_RANGE = range(20_000, 32_000)
_candidates = cycle(random.SystemRandom().sample(_RANGE, len(_RANGE)))


def free_ports(count: int) -> list[int]:
    """Return different ports of this machine that nobody listens on."""
    ports: list[int] = []
    with ExitStack() as held:
        while len(ports) < count:
            port = next(_candidates)
            try:
                held.enter_context(socket.create_server(("127.0.0.1", port)))
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
            else:
                ports.append(port)
    return ports
