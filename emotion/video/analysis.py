"""One segment of a video through detection and classification."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np

from emotion.errors import ContractMismatch
from emotion.face_rows import rounded
from emotion.faces import Face, ModelVersion, Sighting, Verdicts
from emotion.preprocessing import classifier_input
from emotion.stages import FrameClassifier, FrameDetector
from emotion.video.decoding import Skipped, never
from emotion.video.frames import Cut, Event, Picture, frames_of
from emotion.video.observations import SampledFrame, SegmentResult
from emotion.video.settings import Segment, VideoLimits, VideoSettings

# Pictures that faces are looked for in at once. With the one that decodes, two cores are busy.
DETECTING = 2
# Decoded pictures that may wait, so that memory doesn't grow with a segment.
_WAITING = 4
# Crops gathered over frames before they are judged.
_CROPS = 32


def _ignore(time: float) -> None:
    """Tell nobody."""


class VideoAnalyser:
    """Looks at segments of a video, each alone."""

    def __init__(
        self,
        detector: FrameDetector,
        classifier: FrameClassifier,
        limits: VideoLimits,
        settings: VideoSettings,
    ) -> None:
        """Join the stages with what a video may be and how it is looked at."""
        self._detector = detector
        self._classifier = classifier
        self._limits = limits
        self._settings = settings

    def analyse_segment(
        self,
        path: Path,
        segment: Segment,
        *,
        should_stop: Callable[[], bool] = never,
        on_frame: Callable[[float], None] = _ignore,
    ) -> SegmentResult:
        """Say what a segment shows; the same each time, whatever else was analysed.

        Args:
            path: of the video.
            segment: one of ``segments`` with the same settings.
            should_stop: asked with every packet.
            on_frame: told the time of each frame that was looked at, in seconds.

        Raises:
            InputError: the file can't be used.
            Stopped: ``should_stop`` said so.
            ContractMismatch: the classifier was swapped in the middle.
        """
        events = frames_of(path, segment, self._settings.interval, self._limits, should_stop)
        found = _Findings()
        with ThreadPoolExecutor(DETECTING, thread_name_prefix="video") as pool:
            for time, sighting in self._sightings(events, pool, found):
                found.add(time, sighting)
                on_frame(time)
                if found.waiting_crops >= _CROPS:
                    found.judge(self._classifier)
        found.judge(self._classifier)
        return found.result(segment)

    def _sightings(
        self, events: Iterable[Event], pool: ThreadPoolExecutor, found: "_Findings"
    ) -> Iterator[tuple[float, Sighting]]:
        """Have faces looked for while the next frames are decoded; in order of time."""
        waiting: deque[tuple[float, Future[Sighting]]] = deque()
        for event in events:
            match event:
                case Picture():
                    waiting.append((event.time, pool.submit(self._detector, event.pixels)))
                case Cut():
                    found.cuts.append(event.time)
                case Skipped():
                    found.skipped += 1
            if len(waiting) > _WAITING:
                time, seen = waiting.popleft()
                yield time, seen.result()
        for time, seen in waiting:
            yield time, seen.result()


class _Findings:
    """What is known of a segment so far."""

    def __init__(self) -> None:
        self.cuts: list[float] = []
        self.skipped = 0
        self._size = (0, 0)
        self._frames: list[SampledFrame] = []
        self._waiting: list[tuple[float, Sighting]] = []
        self._models: set[ModelVersion] = set()

    @property
    def waiting_crops(self) -> int:
        """Faces that are not judged yet."""
        return sum(len(sighting.detections) for _, sighting in self._waiting)

    def add(self, time: float, sighting: Sighting) -> None:
        """Take the faces of the next frame."""
        self._waiting.append((time, sighting))
        self._size = (sighting.width, sighting.height)

    def judge(self, classifier: FrameClassifier) -> None:
        """Have the faces judged that wait."""
        crops = [classifier_input([]), *(sighting.crops for _, sighting in self._waiting)]
        verdicts = classifier.classify(np.concatenate(crops))
        self._models.add(verdicts.model)
        self._frames += _frames_from(self._waiting, verdicts)
        self._waiting.clear()

    def result(self, segment: Segment) -> SegmentResult:
        """Return all of it."""
        if len(self._models) != 1:
            raise ContractMismatch("The model changed in the middle of a segment. Try again.")
        return SegmentResult(
            index=segment.index,
            width=self._size[0],
            height=self._size[1],
            frames=tuple(self._frames),
            cuts=tuple(self.cuts),
            skipped=self.skipped,
            model=next(iter(self._models)),
        )


def _frames_from(
    sightings: Iterable[tuple[float, Sighting]], verdicts: Verdicts
) -> Iterator[SampledFrame]:
    """Give each face its row of probabilities: they come in the same order."""
    rows = iter(verdicts.probabilities.tolist())
    for time, sighting in sightings:
        faces = [rounded(Face(one, tuple(next(rows)))) for one in sighting.detections]
        yield SampledFrame(time, tuple(faces))
