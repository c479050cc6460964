from collections.abc import AsyncIterator

import httpx
import pytest

from service.settings import Settings
from tests.service.http.client import client_of, started_plane


@pytest.fixture
def settings() -> Settings:
    return Settings(min_free_bytes=0)


@pytest.fixture
async def client(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(started_plane(settings)) as one:
        yield one
