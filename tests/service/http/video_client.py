"""Sends made-up videos, and does to their rows what a worker would."""

import httpx

from service.jobs.claims import Claim, Claims
from service.jobs.opened import opened_folder
from service.settings import Settings
from tests.service.jobs.fake_analyses import fake_video

MP4 = {"content-type": "video/mp4"}
VIDEO = fake_video()


async def send(client: httpx.AsyncClient, content: bytes = VIDEO, key: str | None = None) -> str:
    """Send a video, with an idempotency key or without; return its place."""
    headers = MP4 if key is None else {**MP4, "idempotency-key": key}
    response = await client.post("/v1/videos", content=content, headers=headers)
    assert response.status_code == 202, response.text
    return response.headers["location"]


def finish(settings: Settings, place: str, **reports: bytes) -> None:
    """Do as a worker does that has made a report."""
    with opened_folder(settings) as folder:
        claims = Claims(folder.database, "worker-1")
        claim = claims.claim(place.rpartition("/")[2])
        for form_, content in reports.items():
            folder.store.write(f"{claim.job.reports(1)}/report.{form_}", content)
        claims.finish(claim)


def begin(settings: Settings, place: str) -> Claim:
    """Do as a worker does that has done a segment of two."""
    with opened_folder(settings) as folder:
        claims = Claims(folder.database, "worker-1")
        claim = claims.claim(place.rpartition("/")[2])
        claims.plan(claim, 2)
        claims.store(claim, 0, b"zero", 3.0)
        return claim
