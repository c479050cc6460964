"""Where a webhook may go: to public addresses, by https, and to networks that settings name.

A name is looked up once, all its addresses are judged, and the connection goes to one of those: who
answers differently the next time gains nothing by it.
"""

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from yarl import URL

from emotion.errors import InvalidRequest
from service.delivery_settings import DeliverySettings, Network

Address = IPv4Address | IPv6Address
# Gives the addresses of a host and a port.
Resolver = Callable[[str, int], Awaitable[list[str]]]

_HEXADECIMAL = re.compile(r"0[xX][0-9A-Fa-f]*")
MOST_URL = 2048  # Characters; a column's width.
# All that is handed out for unicast (RFC 4291, 2.4). Outside of it lie loopback, link-local, unique
# and site-local addresses, multicast, IPv4 in IPv6 and its translation (64:ff9b::/96).
_UNICAST6 = ip_network("2000::/3")
# Azure's metadata and health service has an address that looks public, and some versions of Python
# take most of IETF's own network for public, where Oracle's metadata is.
_HIDDEN4 = (ip_network("168.63.129.16/32"), ip_network("192.0.0.0/24"))


def check_webhook(text: str, settings: DeliverySettings) -> str:
    """Return a caller's webhook if it may be one, as far as that is known before a look-up.

    Raises:
        InvalidRequest: it may not; says why.
    """
    if not settings.webhook_keys:
        raise InvalidRequest(
            "webhook: this service sends none. Leave it out, or have its operator set "
            "RAPT_WEBHOOK_SECRET."
        )
    url = parse_webhook(text, insecure=settings.webhook_insecure)
    try:
        literal = ip_address(url.raw_host or "")
    except ValueError:
        return text
    check_address(literal, settings.allowed_networks)
    return text


def parse_webhook(text: str, *, insecure: bool) -> URL:
    """Read a webhook's URL.

    Args:
        text: the URL.
        insecure: whether http:// will do.

    Raises:
        InvalidRequest: it is none that may be used.
    """
    if len(text) > MOST_URL or not text.isprintable() or " " in text:
        raise InvalidRequest(f"webhook: it is no URL of at most {MOST_URL} characters.")
    try:
        url = URL(text)
        port = url.explicit_port
    except ValueError as error:
        raise InvalidRequest("webhook: it can't be read as a URL.") from error
    if _ends_in_a_number(url.raw_host or ""):
        raise InvalidRequest("webhook: its host is neither a name nor an address with four parts.")
    if url.scheme not in (("https", "http") if insecure else ("https",)) or not url.raw_host:
        raise InvalidRequest("webhook: it must be a whole URL that begins with https://.")
    if url.raw_user is not None or url.raw_password is not None or port == 0:
        raise InvalidRequest("webhook: it must have no user, no password and no port 0.")
    # As its owner wrote it: what is decoded in a signed address is another address.
    return URL(text, encoded=True) if text.isascii() else url


def _ends_in_a_number(host: str) -> bool:
    """Return whether a host is one that some take for an address (127.1, 0x7f000001), others not.

    See https://url.spec.whatwg.org/#ends-in-a-number-checker; an address of four parts is none.
    """
    with suppress(ValueError):
        ip_address(host)
        return False
    last = host.removesuffix(".").rpartition(".")[2]
    return last.isdecimal() or _HEXADECIMAL.fullmatch(last) is not None


async def resolve(host: str, port: int) -> list[str]:
    """Return the addresses of a host, as this machine's resolver knows it.

    Raises:
        OSError: it has none.
    """
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(place[4][0]) for place in found]


async def look_up(
    url: URL, networks: Sequence[Network], resolver: Resolver = resolve
) -> list[Address]:
    """Return the addresses of a webhook's host, all of which may be called.

    Raises:
        InvalidRequest: one of them may not.
        OSError: the host has none.
    """
    found = await resolver(url.raw_host or "", url.port or 0)
    # To which link an address is limited isn't part of it.
    addresses = [ip_address(one.partition("%")[0]) for one in found]
    for address in addresses:
        check_address(address, networks)
    return list(dict.fromkeys(addresses))


def check_address(address: Address, networks: Sequence[Network]) -> None:
    """Refuse an address that is not public, unless a network of the settings has it.

    Raises:
        InvalidRequest: it is refused.
    """
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if not any(address in network for network in networks) and not _is_public(address):
        raise InvalidRequest(
            "webhook: its host is not a public address. An operator may allow a network with "
            "RAPT_WEBHOOK_NETWORKS."
        )


def _is_public(address: Address) -> bool:
    if isinstance(address, IPv6Address):
        # 6to4 and Teredo carry IPv4 inside.
        tunnelled = address.sixtofour is not None or address.teredo is not None
        return address in _UNICAST6 and address.is_global and not tunnelled
    special = address.is_multicast or address.is_reserved
    return address.is_global and not special and not any(address in one for one in _HIDDEN4)
