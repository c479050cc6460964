"""Waits for a server that comes back."""

import asyncio
from collections.abc import Awaitable, Callable

from emotion.errors import ModelUnavailable


async def until_it_answers(ask: Callable[[], Awaitable[object]]) -> None:
    """Ask until there is an answer, for seconds rather than minutes."""
    async with asyncio.timeout(20):
        while True:
            try:
                await ask()
            except ModelUnavailable:
                await asyncio.sleep(0.1)
            else:
                return
