"""A real Chromium that opens a page, and what it complains of and asks for meanwhile."""

import asyncio
import re
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

_SOCKET = re.compile(rb"DevTools listening on (ws://\S+)")
_PATIENCE = 60.0


def chromium() -> str | None:
    """Return where Chromium is, if it is installed."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


@dataclass(frozen=True, slots=True)
class Visit:
    """What happened while a page was open.

    Attributes:
        complaints: errors and warnings on the console, and scripts that failed.
        requests: addresses that were asked for, the page's own first.
        facts: what the page answered to what it was asked.
    """

    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    facts: dict[str, object] = field(default_factory=dict)


async def visit(page: Path, profile: Path, width: int, questions: dict[str, str]) -> Visit:
    """Open a page in a window so wide, in pixels, and ask it for the values of expressions.

    Args:
        page: a file.
        profile: an empty folder for the browser.
        width: of the window.
        questions: expressions in the page's language, by name.
    """
    async with asyncio.timeout(_PATIENCE), _browser(profile) as address:
        target = address.replace("ws://", "http://").split("/devtools")[0] + "/json/new"
        async with aiohttp.ClientSession() as session:
            async with session.put(target) as answer:
                tab = (await answer.json())["webSocketDebuggerUrl"]
            async with session.ws_connect(tab, max_msg_size=2**26) as socket:
                return await _Tab(socket).open(page.as_uri(), width, questions)


class _Tab:
    """A tab that is spoken to over the Chrome DevTools Protocol."""

    def __init__(self, socket: "aiohttp.ClientWebSocketResponse[bool]") -> None:
        self._socket = socket
        self._asked = 0
        self._visit = Visit()
        self._loaded = False

    async def open(self, address: str, width: int, questions: dict[str, str]) -> Visit:
        for domain in ("Page", "Network", "Runtime", "Log"):
            await self._ask(f"{domain}.enable")
        screen = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": True}
        await self._ask("Emulation.setDeviceMetricsOverride", screen)
        await self._ask("Page.navigate", {"url": address})
        while not self._loaded:
            self._hear(await self._socket.receive_json())
        for name, expression in questions.items():
            asked = {"expression": expression, "returnByValue": True}
            answer = await self._ask("Runtime.evaluate", asked)
            self._visit.facts[name] = answer["result"].get("value")
        return self._visit

    async def _ask(self, method: str, params: Mapping[str, object] | None = None) -> Any:  # noqa: ANN401  # JSON
        self._asked += 1
        await self._socket.send_json({"id": self._asked, "method": method, "params": params or {}})
        while True:
            message = await self._socket.receive_json()
            if message.get("id") == self._asked:
                assert "error" not in message, message
                return message["result"]
            self._hear(message)

    def _hear(self, message: dict[str, Any]) -> None:
        match message.get("method"):
            case "Page.loadEventFired":
                self._loaded = True
            case "Network.requestWillBeSent":
                self._visit.requests.append(message["params"]["request"]["url"])
            case "Log.entryAdded":
                self._visit.complaints.append(message["params"]["entry"]["text"])
            case "Runtime.exceptionThrown" | "Runtime.consoleAPICalled":
                self._visit.complaints.append(str(message["params"]))


@asynccontextmanager
async def _browser(profile: Path) -> AsyncIterator[str]:
    """Run a browser, and give the address at which it is spoken to."""
    executable = chromium()
    assert executable is not None
    process = await asyncio.create_subprocess_exec(
        executable,
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--no-first-run",
        "--remote-debugging-port=0",
        f"--user-data-dir={profile}",
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    try:
        async for line in process.stderr:
            if found := _SOCKET.search(line):
                yield found[1].decode()
                break
    finally:
        process.terminate()
        await process.communicate()
