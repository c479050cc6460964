import signal

import pytest
from starlette.types import Message, Receive, Scope, Send

from service.ending import Ending
from service.http.front_first import FrontFirst
from tests.service.signals import hand_over


class Note:
    """An application that notes what it is asked."""

    def __init__(self) -> None:
        self.scopes: list[Scope] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  # ASGI's
        self.scopes.append(scope)


async def receive() -> Message:
    return {}


async def send(message: Message) -> None:
    pass


@pytest.mark.parametrize(
    ("scope", "is_front"),
    [
        ({"type": "http", "path": "/v1/photos"}, True),
        ({"type": "http", "path": "/livez"}, True),
        ({"type": "http", "path": "/schema.json"}, True),
        ({"type": "lifespan"}, False),
        ({"type": "websocket", "path": "/v1/photos"}, False),
    ],
)
async def test_each_request_goes_to_whom_it_belongs(scope: Scope, *, is_front: bool) -> None:
    bentoml, front = Note(), Note()
    await FrontFirst(bentoml, front=front, ending=Ending())(scope, receive, send)
    assert (front if is_front else bentoml).scopes == [scope]
    assert len(front.scopes) + len(bentoml.scopes) == 1


async def test_a_front_hears_of_its_end_while_it_runs() -> None:
    ending = Ending()
    passed_on: list[int] = []

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        hand_over(signal.SIGTERM)
        await ending.wait()

    # uvicorn's handler, which is set before its first event.
    former = signal.signal(signal.SIGTERM, lambda number, _frame: passed_on.append(number))
    try:
        front = FrontFirst(application, front=Note(), ending=ending)
        await front({"type": "lifespan"}, receive, send)
        hand_over(signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, former)
    assert passed_on == [signal.SIGTERM, signal.SIGTERM]
