"""Videos sent to a running service, and what became of them."""

import json
from typing import Any

import httpx

from tests.e2e.servers import Server, until

_MOST_SECONDS = 120.0


def send(server: Server, clip: bytes) -> httpx.Response:
    """Send one, looked at ten times a second."""
    return httpx.post(
        f"{server.url}/v1/videos?interval=0.1",
        content=clip,
        headers={"content-type": "video/mp4"},
        timeout=90,
    )


def place_of(sent: httpx.Response) -> str:
    assert sent.status_code == 202, sent.text
    place: str = sent.headers["location"]
    return place


def is_begun(server: Server, place: str) -> bool:
    """Whether some of it is done, and not all."""
    state = server.get(place).json()
    assert state["state"] in ("queued", "running"), state
    begun: bool = state["progress"] > 0
    return begun


def report_of(server: Server, place: str) -> dict[str, Any]:
    """Wait for the end; return the report without what differs between two jobs: ids, times."""
    until(lambda: server.get(place).json()["state"] == "done", _MOST_SECONDS, server)
    report: dict[str, Any] = server.get(f"{place}/report").json()
    text = json.dumps({key: report[key] for key in ("video", "faces", "timeline", "key_moments")})
    for number, face in enumerate(report["faces"]):
        text = text.replace(face["id"], f"face {number}")
    told: dict[str, Any] = json.loads(text)
    return told
