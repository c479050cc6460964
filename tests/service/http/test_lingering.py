import asyncio

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.ending import Ending
from service.http import lingering
from service.http.lingering import LingeringClose

SCOPE: Scope = {"type": "http", "method": "POST", "path": "/", "headers": []}


class Client:
    """Sends chunks, the last one never being the end if ``endless``; keeps what it is sent."""

    def __init__(self, *chunks: bytes, endless: bool = False) -> None:
        self.chunks = list(chunks)
        self.endless = endless
        self.got: list[Message] = []

    async def receive(self) -> Message:
        if not self.chunks:
            await asyncio.Event().wait()
        chunk = self.chunks.pop(0)
        more = self.endless or bool(self.chunks)
        return {"type": "http.request", "body": chunk, "more_body": more}

    async def send(self, message: Message) -> None:
        self.got.append({**message, "left": len(self.chunks)})


def answering(*, close: bool, read: bool) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if read:
            await Request(scope, receive).body()
        headers = {"Connection": "close"} if close else {}
        await Response(b"answer", headers=headers)(scope, receive, send)

    return app


def bodies(client: Client) -> list[tuple[bytes, bool, int]]:
    """What was sent: bytes, whether more follows, chunks of the request that were left."""
    return [
        (message["body"], message.get("more_body", False), message["left"])
        for message in client.got
        if message["type"] == "http.response.body"
    ]


async def test_an_early_answer_is_sent_before_the_rest_is_read_and_ended_after() -> None:
    client = Client(b"1", b"2", b"3")
    await LingeringClose(answering(close=True, read=False), Ending())(
        SCOPE, client.receive, client.send
    )
    assert bodies(client) == [(b"answer", True, 3), (b"", False, 0)]


async def test_a_body_that_was_read_is_not_waited_for() -> None:
    client = Client(b"1", b"2")
    await LingeringClose(answering(close=True, read=True), Ending())(
        SCOPE, client.receive, client.send
    )
    assert bodies(client)[0] == (b"answer", True, 0)
    assert bodies(client)[-1] == (b"", False, 0)


async def test_an_answer_that_keeps_the_connection_is_passed_on() -> None:
    client = Client(b"1")
    await LingeringClose(answering(close=False, read=False), Ending())(
        SCOPE, client.receive, client.send
    )
    assert bodies(client) == [(b"answer", False, 1)]


async def test_a_body_that_never_ends_is_left_after_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lingering, "_SECONDS", 0.01)
    client = Client(b"1", b"2", endless=True)
    await LingeringClose(answering(close=True, read=False), Ending())(
        SCOPE, client.receive, client.send
    )
    assert bodies(client) == [(b"answer", True, 2), (b"", False, 0)]


@pytest.mark.parametrize("is_told_before", [True, False])
async def test_at_the_end_it_is_left_sooner(
    monkeypatch: pytest.MonkeyPatch, *, is_told_before: bool
) -> None:
    monkeypatch.setattr(lingering, "_SECONDS", 1000)
    monkeypatch.setattr(lingering, "_LAST_SECONDS", 0.01)
    client, ending = Client(b"1", b"2", endless=True), Ending()
    if is_told_before:
        ending.tell()
    lingers = LingeringClose(answering(close=True, read=False), ending)
    task = asyncio.create_task(lingers(SCOPE, client.receive, client.send))
    while client.chunks:
        await asyncio.sleep(0)
    ending.tell()
    await task
    assert bodies(client) == [(b"answer", True, 2), (b"", False, 0)]


async def test_what_is_no_http_request_is_passed_on() -> None:
    client = Client()
    seen: list[Scope] = []

    async def note(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope)

    await LingeringClose(note, Ending())({"type": "lifespan"}, client.receive, client.send)
    assert seen == [{"type": "lifespan"}]
