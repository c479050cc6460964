import asyncio

import grpc
import grpc.aio
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from emotion.errors import ModelUnavailable
from service.grpc import health
from service.models.served import ModelState
from tests.service.grpc.client import channel_of, failure_of, settings_of
from tests.service.http.client import started_plane
from tests.stages import MODEL

Status = health_pb2.HealthCheckResponse
SERVICES = ["", "inference.GRPCInferenceService"]


class Switch:
    """A probe that fails while it is off; counts how often it is asked."""

    def __init__(self) -> None:
        self.on = True
        self.asked = 0

    async def __call__(self) -> ModelState:
        self.asked += 1
        if not self.on:
            raise ModelUnavailable("Off.")
        return ModelState(MODEL)


async def check(channel: grpc.aio.Channel, service: str) -> int:
    request = health_pb2.HealthCheckRequest(service=service)
    status: int = (await health_pb2_grpc.HealthStub(channel).Check(request)).status
    return status


@pytest.mark.parametrize("service", SERVICES)
async def test_it_serves_while_a_photo_would_be_answered(service: str) -> None:
    switch = Switch()
    async with channel_of(started_plane(settings_of(), probe=switch)) as channel:
        assert await check(channel, service) == Status.SERVING
        switch.on = False
        assert await check(channel, service) == Status.NOT_SERVING
        switch.on = True
        assert await check(channel, service) == Status.SERVING


async def test_a_service_that_is_not_there_is_not_found() -> None:
    async with channel_of(started_plane(settings_of())) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        failure = await failure_of(stub.Check(health_pb2.HealthCheckRequest(service="mood")))
    assert failure[0] is grpc.StatusCode.NOT_FOUND


async def test_who_watches_is_told_of_every_change(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_LOOK_SECONDS", 0.01)
    switch = Switch()
    async with channel_of(started_plane(settings_of(), probe=switch)) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        watch = stub.Watch(health_pb2.HealthCheckRequest())
        assert (await watch.read()).status == Status.SERVING
        switch.on = False
        assert (await watch.read()).status == Status.NOT_SERVING
        switch.on = True
        assert (await watch.read()).status == Status.SERVING


async def test_nobody_is_asked_once_nobody_watches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_LOOK_SECONDS", 0.01)
    switch = Switch()
    async with channel_of(started_plane(settings_of(), probe=switch)) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        watches = [stub.Watch(health_pb2.HealthCheckRequest()) for _ in range(3)]
        for watch in watches:
            await watch.read()
        for watch in watches:
            watch.cancel()
        before = -1
        async with asyncio.timeout(5):
            while before != switch.asked:
                before = switch.asked
                await asyncio.sleep(0.1)
