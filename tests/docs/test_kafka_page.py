"""The schemas of messages are those that the code has, and the documents are valid."""

import json
import re
import warnings
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator, ValidationError

from service.jobs.job import State
from service.kafka.messages import DEAD_LETTERS, JobEnded, JobRequested, topic_of
from service.kafka.schemas import schema_files
from tests.service.delivery.jobs import ended_job

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "kafka"
PAGE = FOLDER.parent / "kafka.md"
REQUEST = {"id": "order-7", "kind": "video", "uri": "s3://inbox/show.mp4"}


def validator(topic: str) -> Draft202012Validator:
    return Draft202012Validator(
        json.loads((FOLDER / f"{topic}.schema.json").read_text(encoding="utf-8")),
        format_checker=Draft202012Validator.FORMAT_CHECKER,
    )


@pytest.fixture
def asyncapi() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(
        (FOLDER / "asyncapi.yaml").read_text(encoding="utf-8")
    )
    return document


@pytest.mark.parametrize("name", schema_files())
def test_a_schema_is_what_the_code_has(name: str) -> None:
    written = (FOLDER / name).read_text(encoding="utf-8")
    assert written == schema_files()[name], "python -m service.kafka.schemas writes it anew"
    Draft202012Validator.check_schema(json.loads(written))


@pytest.mark.parametrize("state", [State.DONE, State.FAILED, State.CANCELLED])
def test_what_is_told_is_as_its_topics_schema_says(state: State) -> None:
    job = ended_job(state, "It is damaged." if state is State.FAILED else None)
    told = json.loads(JobEnded.answer("order-7", job).model_dump_json())
    validator(topic_of(job)).validate(told)
    with pytest.raises(ValidationError):
        validator(topic_of(job)).validate({**told, "type": "job.begun"})


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"settings": {"interval": 0.5}, "name": "a", "priority": "low"},
        {"name": None, "webhook": None},
        {"webhook": "https://example.com/"},
    ],
)
def test_what_the_schema_allows_is_read(more: dict[str, object]) -> None:
    message = {**REQUEST, **more}
    validator("rapt.jobs.requested").validate(message)
    assert JobRequested.of(json.dumps(message).encode()).id == "order-7"


@pytest.mark.parametrize(
    "more",
    [
        {"id": ""},
        {"id": 7},
        {"kind": "film"},
        {"uri": None},
        {"settings": {"interval": 0}},
        {"settings": {"speed": 2}},
        {"priority": "urgent"},
        {"when": "now"},
    ],
)
def test_what_it_forbids_is_refused_by_both(more: dict[str, object]) -> None:
    message = {**REQUEST, **more}
    with pytest.raises(ValidationError):
        validator("rapt.jobs.requested").validate(message)
    with pytest.raises(Exception, match=r"^\w"):
        JobRequested.of(json.dumps(message).encode())


def test_the_pages_examples_are_as_the_schemas_say() -> None:
    examples = re.findall(r"```json\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    request, told = map(json.loads, examples)
    validator("rapt.jobs.requested").validate(request)
    validator("rapt.jobs.completed").validate(told)


def test_the_asyncapi_document_is_one(asyncapi: dict[str, Any]) -> None:
    with warnings.catch_warnings(action="ignore"):
        # Its import warns of names of its own.
        from asyncapi3 import AsyncAPI3  # noqa: PLC0415
    AsyncAPI3.model_validate(asyncapi)


def test_it_has_every_topic_with_the_schema_of_its_messages(asyncapi: dict[str, Any]) -> None:
    found = {}
    for channel in asyncapi["channels"].values():
        (message,) = channel["messages"].values()
        name = message["$ref"].rpartition("/")[2]
        payload = asyncapi["components"]["messages"][name].get("payload", {})
        found[channel["address"]] = payload.get("$ref")
    schemas = {name.removesuffix(".schema.json"): name for name in schema_files()}
    assert found == {**schemas, DEAD_LETTERS: None}
