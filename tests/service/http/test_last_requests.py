import asyncio
import json

import pytest
from starlette.types import Message, Receive, Scope, Send

from service.ending import Ending
from service.http.last_requests import LastRequests
from service.http.request_ids import RequestIds

HTTP = {"type": "http", "headers": []}


async def take() -> Message:
    return {}


async def sent_by(ending: Ending, application: object, scope: Scope) -> list[Message]:
    """What is sent where the end leaves requests no time."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    await RequestIds(LastRequests(application, ending, 0.01))(scope, take, send)  # type: ignore[arg-type]  # an application
    return sent


async def test_a_request_that_does_not_end_is_ended_with_the_service() -> None:
    ending = Ending()

    async def never(scope: Scope, receive: Receive, send: Send) -> None:
        ending.tell()
        await asyncio.sleep(30)

    start, body = await sent_by(ending, never, HTTP)
    assert start["status"] == 503
    assert (b"retry-after", b"10") in start["headers"]
    problem = json.loads(body["body"])
    assert problem["type"] == "urn:rapt:problem:model-unavailable"
    assert problem["detail"] == "The service is ending. Send it again."


async def test_an_answer_that_has_begun_is_cut_off() -> None:
    ending = Ending()
    begun: Message = {"type": "http.response.start", "status": 200, "headers": []}

    async def endless(scope: Scope, receive: Receive, send: Send) -> None:
        await send(begun)
        ending.tell()
        await asyncio.sleep(30)

    (start,) = await sent_by(ending, endless, HTTP)
    assert start["status"] == 200


async def test_a_timeout_of_the_application_s_own_is_let_through() -> None:
    async def impatient(scope: Scope, receive: Receive, send: Send) -> None:
        raise TimeoutError

    with pytest.raises(TimeoutError):
        await sent_by(Ending(), impatient, HTTP)


async def test_what_is_no_request_is_passed_on() -> None:
    ending = Ending()
    ending.tell()

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(0.05)
        await send({"type": "lifespan.startup.complete"})

    assert await sent_by(ending, slow, {"type": "lifespan"}) == [
        {"type": "lifespan.startup.complete"}
    ]
