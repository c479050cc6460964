"""What is told of videos, and done with them: real rows and objects, and no worker."""

import httpx
import pytest

from service.jobs.claims import Claims
from service.jobs.opened import opened_folder
from service.settings import Settings
from tests.service.http.client import problem
from tests.service.http.video_client import begin, finish, send
from tests.service.kept import objects_of

HTML_FIRST = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"

pytestmark = pytest.mark.usefixtures("kept")


async def test_progress_says_how_much_is_done_and_left(
    client: httpx.AsyncClient, settings: Settings
) -> None:
    place = await send(client)
    begin(settings, place)
    body = (await client.get(place)).json()
    assert (body["state"], body["progress"], body["seconds_left"]) == ("running", 0.5, 3.0)


@pytest.mark.parametrize(
    ("query", "accept", "content", "kind"),
    [
        ("", "*/*", b"{}", "application/json"),
        ("", "text/csv", b"a,b", "text/csv; charset=utf-8"),
        ("", HTML_FIRST, b"<p>", "text/html; charset=utf-8"),
        ("", "image/png, text/*;q=0.5, application/json;q=0.1", b"a,b", "text/csv; charset=utf-8"),
        ("?format=html", "application/json", b"<p>", "text/html; charset=utf-8"),
        ("?format=csv", "", b"a,b", "text/csv; charset=utf-8"),
    ],
)
async def test_a_report_has_the_form_that_is_asked_for(
    client: httpx.AsyncClient,
    settings: Settings,
    query: str,
    accept: str,
    content: bytes,
    kind: str,
) -> None:
    place = await send(client)
    finish(settings, place, json=b"{}", csv=b"a,b", html=b"<p>")
    response = await client.get(f"{place}/report{query}", headers={"accept": accept})
    assert (response.status_code, response.content) == (200, content)
    assert response.headers["content-type"] == kind
    assert response.headers["x-content-type-options"] == "nosniff"


async def test_another_form_of_report_is_406_or_422(client: httpx.AsyncClient) -> None:
    place = await send(client)
    response = await client.get(
        f"{place}/report", headers={"accept": "image/png;q=1, text/csv;q=0"}
    )
    problem(response, 406, "not-acceptable")
    problem(await client.get(f"{place}/report?format=pdf"), 422, "invalid-request")


async def test_a_report_that_is_not_there_yet_is_409_and_says_how_far_it_is(
    client: httpx.AsyncClient,
) -> None:
    response = await client.get(f"{await send(client)}/report")
    detail = problem(response, 409, "job-conflict")["detail"]
    assert detail == "There is no report: the video is queued."


async def test_a_report_that_was_taken_from_its_place_is_404(
    client: httpx.AsyncClient, settings: Settings
) -> None:
    place = await send(client)
    finish(settings, place, csv=b"a,b")
    detail = problem(await client.get(f"{place}/report"), 404, "unknown-job")["detail"]
    assert detail == f"The report of video {place.rpartition('/')[2]} is gone."


async def test_why_a_video_failed_is_told(client: httpx.AsyncClient, settings: Settings) -> None:
    place = await send(client)
    claim = begin(settings, place)
    with opened_folder(settings) as folder:
        Claims(folder.database, "worker-1").fail(claim, "It is damaged.")
    body = (await client.get(place)).json()
    assert (body["state"], body["detail"]) == ("failed", "It is damaged.")
    response = await client.get(f"{place}/report")
    assert problem(response, 409, "job-conflict")["detail"].endswith("failed: It is damaged.")


async def test_a_video_is_cancelled_once_and_for_all(
    client: httpx.AsyncClient, settings: Settings
) -> None:
    place = await send(client)
    for _ in range(2):
        response = await client.post(f"{place}:cancel")
        assert (response.status_code, response.json()["state"]) == (200, "cancelled")
    other = await send(client)
    finish(settings, other)
    problem(await client.post(f"{other}:cancel"), 409, "job-conflict")


async def test_what_is_deleted_is_gone(client: httpx.AsyncClient, settings: Settings) -> None:
    place = await send(client)
    begin(settings, place)
    response = await client.delete(place)
    assert (response.status_code, response.content) == (204, b"")
    assert objects_of(settings) == []
    for request in (
        client.get(place),
        client.get(f"{place}/report"),
        client.get(f"{place}/events"),
        client.post(f"{place}:cancel"),
        client.delete(place),
    ):
        problem(await request, 404, "unknown-job")
    assert (await client.get("/v1/videos")).json()["videos"] == []


@pytest.mark.parametrize("video_id", ["0" * 32, "%00", "a%20b", "x" * 1000, "%C3%A4"])
async def test_an_id_of_no_video_is_404(client: httpx.AsyncClient, video_id: str) -> None:
    problem(await client.get(f"/v1/videos/{video_id}"), 404, "unknown-job")


async def test_videos_are_listed_a_page_at_a_time(client: httpx.AsyncClient) -> None:
    sent = [(await send(client)).rpartition("/")[2] for _ in range(5)]
    listed: list[str] = []
    query = "limit=2"
    while query:
        page = (await client.get(f"/v1/videos?{query}")).json()
        assert len(page["videos"]) <= 2
        listed += [video["id"] for video in page["videos"]]
        query = page["next_cursor"] and f"limit=2&cursor={page['next_cursor']}"
    assert listed == sent[::-1]


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=101",
        "limit=1.5",
        "limit=x",
        "cursor=x",
        "cursor=eCB5",
        "cursor=MS4wIAA=",
        "cursor=é",
    ],
)
async def test_a_wrong_page_is_422(client: httpx.AsyncClient, query: str) -> None:
    problem(await client.get(f"/v1/videos?{query}"), 422, "invalid-request")


async def test_metrics_and_readiness_tell_of_videos(
    client: httpx.AsyncClient, settings: Settings
) -> None:
    await send(client)
    begin(settings, await send(client))
    metrics = (await client.get("/metrics")).text
    assert '\nrapt_jobs{state="queued"} 1.0\n' in metrics
    assert '\nrapt_jobs{state="running"} 1.0\n' in metrics
    assert "\nrapt_workers 0.0\n" in metrics
    assert '\nrapt_jobs_queue_wait_mean_seconds{priority="normal"} ' in metrics
    assert (await client.get("/readyz")).json()["jobs"] == {
        "workers": 0,
        "waiting": 1,
        "running": 1,
        "detail": "No worker is running: jobs wait for one.",
    }


async def test_a_folder_that_another_installation_holds_is_503_and_said_by_readyz(
    client: httpx.AsyncClient, settings: Settings
) -> None:
    with settings.data_folder.held():
        (settings.data_folder.path / "rapt.db").touch()
        response = await client.get("/v1/videos")
        why = problem(response, 503, "storage-unavailable")["detail"]
        ready = await client.get("/readyz")
        metrics = await client.get("/metrics")
    assert why == "Jobs can't be kept: the service's storage can't be used. Its log says why."
    assert (ready.status_code, ready.json()["jobs"]["detail"]) == (200, why)
    assert "rapt_jobs" not in metrics.text
