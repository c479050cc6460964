"""Sets of photos analysed in this process: the same pipeline as for photos that are asked about."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from emotion.deadline import Deadline
from emotion.errors import InputError, RaptError, Stopped
from emotion.face_rows import rounded
from emotion.faces import ModelVersion, PhotoAnswer
from emotion.photo import PhotoPipeline
from emotion.photo_set.report import sum_up
from emotion.photo_set.results import (
    PhotoError,
    PhotoFaces,
    PhotoResult,
    decode_results,
    encode_results,
)
from emotion.reports.formats import FORMATS, ReportFormat, render
from service.jobs.job import Job
from service.jobs.photos import Photos, Read

# Photos held in memory at once, and looked at by as many threads as settings give.
_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class PhotoSetAnalysis:
    """``service.jobs.work.Analysis`` with the models of this process.

    Attributes:
        photos: of the set.
        job: the job.
        model: the classifier.
        detector: names the face detector.
        pipeline: of both.
    """

    photos: Photos
    job: Job
    model: ModelVersion
    detector: str
    pipeline: PhotoPipeline

    @property
    def segment_count(self) -> int:
        """How many segments it has."""
        return -(-len(self.photos.names) // self._each)

    def analyse(self, number: int, should_stop: Callable[[], bool]) -> bytes:
        """Say what some photos show; see the protocol."""
        first = number * self._each
        numbers = range(first, min(first + self._each, len(self.photos.names)))
        with self.photos.reading() as read:
            results = asyncio.run(self._analyse(numbers, read, should_stop))
        return encode_results(results, self.model)

    def report(self, payloads: Sequence[bytes]) -> Mapping[ReportFormat, bytes]:
        """Put the segments together; see the protocol."""
        results = [one for payload in payloads for one in decode_results(payload, self.model)]
        report = sum_up(results, self.model, self.detector)
        created_at = datetime.fromtimestamp(self.job.created_at, UTC)
        title = self.job.name or ""
        return {form: render(report, form, title=title, created_at=created_at) for form in FORMATS}

    @property
    def _each(self) -> int:
        return int(self.job.settings["segment_photos"])

    async def _analyse(
        self, numbers: range, read: Read, should_stop: Callable[[], bool]
    ) -> list[PhotoResult]:
        results: list[PhotoResult] = []
        names = self.photos.names
        for start in range(0, len(numbers), _AT_ONCE):
            if should_stop():
                raise Stopped("It was told to, between two photos.")
            some = numbers[start : start + _AT_ONCE]
            outcomes = await self._outcomes([_content(read, number) for number in some])
            results += map(PhotoResult, [names[number] for number in some], outcomes)
        return results

    async def _outcomes(
        self, contents: Sequence[bytes | InputError]
    ) -> list[PhotoFaces | PhotoError]:
        """Return one a photo, in order; those that can't be read are not looked at."""
        photos = [one for one in contents if isinstance(one, bytes)]
        answers = iter(await self.pipeline.analyse(photos, Deadline()))
        return [_outcome(next(answers) if isinstance(one, bytes) else one) for one in contents]


def _content(read: Read, number: int) -> bytes | InputError:
    try:
        return read(number)
    except InputError as error:
        return error


def _outcome(answer: PhotoAnswer | RaptError) -> PhotoFaces | PhotoError:
    if isinstance(answer, InputError):
        return PhotoError(answer.kind, answer.message)
    if isinstance(answer, RaptError):
        raise answer
    return PhotoFaces(answer.width, answer.height, tuple(map(rounded, answer.faces)))
