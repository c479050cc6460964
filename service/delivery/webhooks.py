"""Sends webhooks: signed, to addresses that were judged, and no further than told."""

import asyncio
import re
import ssl
import time
from collections.abc import Mapping, Sequence
from http import HTTPStatus

from aiohttp import (
    ClientConnectorError,
    ClientError,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    TCPConnector,
)
from yarl import URL

from emotion.errors import InvalidRequest
from service.delivery.courier import Outcome
from service.delivery.deliveries import Delivery
from service.delivery.events import Event
from service.delivery.signatures import signed_headers
from service.delivery.targets import Address, Resolver, look_up, parse_webhook, resolve
from service.delivery_settings import DeliverySettings

_HEADERS = {"Content-Type": "application/json", "User-Agent": "Rapt-Webhooks"}
_LEAST_ERROR = 300
_SECONDS = re.compile(r"[0-9]{1,20}")  # A date isn't heeded.


class WebhookSender:
    """Posts each delivery to its URL, all of a batch at once."""

    def __init__(self, settings: DeliverySettings, resolver: Resolver = resolve) -> None:
        """Sign and judge as settings say; the resolver is asked once a try."""
        self._resolver = resolver
        self._settings = settings
        self._keys = settings.webhook_keys
        self._networks = settings.allowed_networks
        self._tls = ssl.create_default_context()

    def send(self, batch: Sequence[Delivery]) -> Sequence[Outcome]:
        """Send a batch; see ``Sender``. Only a status of 2xx counts as arrived."""
        return asyncio.run(self._send_all(batch))

    async def _send_all(self, batch: Sequence[Delivery]) -> Sequence[Outcome]:
        connector = TCPConnector(force_close=True, limit=0, ssl=self._tls)
        # Proxies that the environment names would look the name up again: they aren't asked.
        async with ClientSession(
            connector=connector,
            timeout=ClientTimeout(total=None),
            cookie_jar=DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
        ) as session:
            return await asyncio.gather(*(self._send(session, one) for one in batch))

    async def _send(self, session: ClientSession, delivery: Delivery) -> Outcome:
        try:
            async with asyncio.timeout(self._settings.webhook_seconds):
                url = parse_webhook(delivery.address, insecure=self._settings.webhook_insecure)
                addresses = await look_up(url, self._networks, self._resolver)
                return await self._post(session, url, addresses, delivery)
        except InvalidRequest as error:
            return Outcome(error.message)
        except TimeoutError:
            return Outcome(f"It didn't answer within {self._settings.webhook_seconds:g} s.")
        except (ClientError, OSError, UnicodeError) as error:
            # Its text would name the address.
            return Outcome(f"It can't be reached ({type(error).__name__}).")

    async def _post(
        self,
        session: ClientSession,
        url: URL,
        addresses: Sequence[Address],
        delivery: Delivery,
    ) -> Outcome:
        """Post it to the first of some addresses that takes a connection."""
        body = Event.of(delivery.job).model_dump_json().encode()
        headers = {
            **_HEADERS,
            **signed_headers(self._keys, f"msg_{delivery.id}", time.time(), body),
            "Host": url.host_port_subcomponent or "",
        }
        for address in addresses[:-1]:
            try:
                return await _outcome_at(session, url, address, headers, body)
            except ClientConnectorError:
                continue
        return await _outcome_at(session, url, addresses[-1], headers, body)


async def _outcome_at(
    session: ClientSession, url: URL, address: Address, headers: Mapping[str, str], body: bytes
) -> Outcome:
    # To the very address that was judged; the certificate has to be the name's all the same.
    async with session.post(
        url.with_host(str(address)),
        data=body,
        headers=headers,
        server_hostname=url.raw_host if url.scheme == "https" else None,
        allow_redirects=False,
    ) as response:
        # The body is left unread, whatever its size.
        return _outcome_of(response.status, response.headers.get("Retry-After", ""))


def _outcome_of(status: int, retry_after: str) -> Outcome:
    if HTTPStatus.OK <= status < _LEAST_ERROR:
        return Outcome()
    return Outcome(
        f"It answered {status}.",
        is_final=status == HTTPStatus.GONE,
        wait=float(retry_after) if _SECONDS.fullmatch(retry_after) else 0.0,
    )
