import json

import pytest

from service.delivery.events import Event
from service.http.job_answers import place_of
from service.jobs.job import State
from tests.service.delivery.jobs import ended_job


def test_an_event_tells_how_a_job_ended_and_where_its_report_is() -> None:
    job = ended_job()
    place = f"/v1/videos/{job.id}"
    assert json.loads(Event.of(job).model_dump_json()) == {
        "type": "job.completed",
        "timestamp": "2026-09-21T14:13:20Z",
        "data": {
            "id": job.id,
            "kind": "video",
            "state": "done",
            "error": None,
            "links": {"self": place, "report": f"{place}/report"},
        },
    }


@pytest.mark.parametrize(
    ("state", "error", "kind"),
    [(State.FAILED, "It is damaged.", "job.failed"), (State.CANCELLED, None, "job.cancelled")],
)
def test_what_has_no_report_links_to_none_and_says_why(
    state: State, error: str | None, kind: str
) -> None:
    event = Event.of(ended_job(state, error))
    assert (event.type, event.data.error, event.data.links.report) == (kind, error, None)


def test_its_links_are_those_that_http_tells() -> None:
    assert Event.of(ended_job()).data.links.self == place_of(ended_job())
