import asyncio
import gc
import weakref
from contextvars import ContextVar
from typing import Any

import bentoml
import httpx
import pytest
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.http.time_limit import TimeLimit, put_time_limit_in_place

REQUESTS = 400
# asyncio forgets a cancelled timer once such are more than 100, and more than half of all.
FEW = 150


class Request:
    """What is known of a request while it is worked on."""


known: ContextVar[Request] = ContextVar("known")


async def get(app: ASGIApp) -> httpx.Response:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://rapt.test") as client:
        return await client.get("/")


async def remembered(app: ASGIApp) -> int:
    """Of how many requests something is held that have been answered."""

    async def ask() -> "weakref.ref[Request]":
        request = Request()
        known.set(request)
        assert (await get(app)).status_code == 200
        return weakref.ref(request)

    requests = [await asyncio.create_task(ask()) for _ in range(REQUESTS)]
    gc.collect()
    return sum(request() is not None for request in requests)


async def test_requests_that_are_answered_are_forgotten() -> None:
    assert await remembered(TimeLimit(Response("here"), 3600.0)) < FEW


# BentoML's own, when it is first imported.
@pytest.mark.filterwarnings("ignore::pydantic.warnings.PydanticDeprecatedSince211")
async def test_bentoml_puts_it_before_its_services(monkeypatch: pytest.MonkeyPatch) -> None:
    # Put back after the test.
    monkeypatch.setattr("bentoml._internal.server.http.traffic.TimeoutMiddleware", None)
    put_time_limit_in_place()

    class Answers:
        def __init__(self, app: ASGIApp) -> None:
            """Stand before BentoML's own routes."""

        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            await Response("here")(scope, receive, send)

    class Tiny:
        """A service without an API."""

    make: Any = bentoml.service(traffic={"timeout": 3600.0}, metrics={"enabled": False})
    service = make(Tiny)
    service.add_asgi_middleware(Answers)
    assert await remembered(service.to_asgi()) < FEW


async def test_an_answer_that_does_not_begin_in_time_is_504() -> None:
    cancelled = asyncio.Event()

    async def never(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    response = await get(TimeLimit(never, 0.01))
    assert response.status_code == 504
    assert response.json() == {"error": "Not able to process the request in 0.01 seconds"}
    assert cancelled.is_set()


async def test_an_answer_that_has_begun_may_take_longer() -> None:
    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await asyncio.sleep(0.2)
        await send({"type": "http.response.body", "body": b"here"})

    assert (await get(TimeLimit(slow, 0.1))).content == b"here"


async def test_what_the_application_says_of_time_is_no_limit_of_ours() -> None:
    async def fails(scope: Scope, receive: Receive, send: Send) -> None:
        raise TimeoutError("its own")

    with pytest.raises(TimeoutError, match="its own"):
        await get(TimeLimit(fails, 60.0))


async def test_start_up_and_shutdown_have_no_limit() -> None:
    async def lasting(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(0.05)
        await send({"type": "lifespan.shutdown.complete"})

    async def receive() -> Message:
        return {}

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    await TimeLimit(lasting, 0.01)({"type": "lifespan"}, receive, send)
    assert sent == [{"type": "lifespan.shutdown.complete"}]
