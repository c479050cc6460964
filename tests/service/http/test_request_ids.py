import uuid

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Message, Receive, Scope, Send

from service.http.request_ids import RequestIds, request_id_of


async def say_id(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse(request_id_of(Request(scope).scope))(scope, receive, send)


async def ask(headers: dict[str, str]) -> httpx.Response:
    transport = httpx.ASGITransport(RequestIds(say_id))
    async with httpx.AsyncClient(transport=transport, base_url="http://rapt.test") as client:
        return await client.get("/", headers=headers)


@pytest.mark.parametrize("offered", ["a", "job-7.part_2", "x" * 64])
async def test_a_plain_id_of_the_callers_is_kept(offered: str) -> None:
    response = await ask({"X-Request-Id": offered})
    assert response.text == offered
    assert response.headers["x-request-id"] == offered


@pytest.mark.parametrize("offered", ["", "x" * 65, "a b", 'a"b', "<script>", "a;b", "a/b"])
async def test_any_other_is_replaced_by_a_new_one(offered: str) -> None:
    response = await ask({"X-Request-Id": offered})
    assert response.text == str(uuid.UUID(response.text))
    assert response.headers["x-request-id"] == response.text


async def test_every_request_has_an_id_of_its_own() -> None:
    assert (await ask({})).text != (await ask({})).text


async def test_what_is_no_http_request_is_passed_on() -> None:
    seen: list[Scope] = []

    async def note(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope)

    async def take() -> Message:
        return {}

    async def give(message: Message) -> None:
        pass

    await RequestIds(note)({"type": "lifespan"}, take, give)
    assert seen == [{"type": "lifespan"}]
