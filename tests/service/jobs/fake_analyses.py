"""Made-up jobs, and who analyses them: slowly, in segments, to a report that says what it saw."""
# ruff: noqa: ARG002  # a fake is given what the protocol gives, used or not

import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emotion.errors import ContractMismatch, Stopped, UndecodableVideo
from emotion.faces import ModelVersion
from emotion.reports.formats import FORMATS, ReportFormat
from service.jobs.job import Job

# What an MP4 file begins with, and more bytes than it takes to tell.
_HEAD = b"\x00\x00\x00\x18ftypmp42" + bytes(600)
MODEL = ModelVersion("emotion_classifier", "fake-1")


def fake_video(segments: int = 3, seconds: float = 0.0, **more: object) -> bytes:
    """A job of some segments, each of which takes some time to look at.

    Args:
        segments: how many.
        seconds: that each takes.
        more: ``fails_at``: the segment at which it turns out to be damaged; ``bug_at``: at which
            the analysis has a bug; ``dies_at``: at which its process ends, as where there is no
            memory; ``waits_for``: a file without which no segment ends; ``padding``: more bytes.
    """
    padding = b" " * int(str(more.pop("padding", 0)))
    return _HEAD + json.dumps({"segments": segments, "seconds": seconds, **more}).encode() + padding


@dataclass(frozen=True, slots=True)
class FakeAnalysis:
    """``service.jobs.work.Analysis`` of ``fake_video``."""

    job: Job
    model: ModelVersion
    said: Mapping[str, Any]

    @property
    def segment_count(self) -> int:
        return int(self.said["segments"])

    def analyse(self, number: int, should_stop: Callable[[], bool]) -> bytes:
        end = time.monotonic() + self.said["seconds"]
        while time.monotonic() < end or self._has_to_wait:
            if should_stop():
                raise Stopped("It was told to.")
            time.sleep(0.01)
        if self.said.get("fails_at") == number:
            raise UndecodableVideo("The video is damaged here.")
        if self.said.get("bug_at") == number:
            raise ZeroDivisionError
        if self.said.get("dies_at") == number:
            os._exit(137)
        return b"segment %d by %s" % (number, self.model.version.encode())

    @property
    def _has_to_wait(self) -> bool:
        return "waits_for" in self.said and not Path(self.said["waits_for"]).exists()

    def report(self, payloads: Sequence[bytes]) -> Mapping[ReportFormat, bytes]:
        text = b"\n".join([self.job.id.encode(), *payloads])
        return {form: form.encode() + b" of " + text for form in FORMATS}


class FakeAnalyses:
    """``service.jobs.work.Analyses`` of ``fake_video``."""

    def __init__(self, model: ModelVersion = MODEL) -> None:
        self._model = model

    def open(self, path: Path, job: Job, should_stop: Callable[[], bool]) -> FakeAnalysis:
        if job.model not in (None, self._model):
            raise ContractMismatch("The classifier is not here any more.")
        said = path.read_bytes()
        if not said.startswith(_HEAD):
            raise UndecodableVideo("The job's header is truncated or corrupt: mov.")
        return FakeAnalysis(job, self._model, json.loads(said.removeprefix(_HEAD)))
