"""Faces and frames as segments tell of them, made up."""

from collections.abc import Sequence

from emotion.faces import Box, Detection, Face, Landmarks, ModelVersion
from emotion.labels import EMOTIONS, Emotion
from emotion.video.observations import SampledFrame, SegmentResult
from emotion.video.settings import VideoInfo

MODEL = ModelVersion("emotion_classifier", "fake-1")
INFO = VideoInfo("mov", "h264", 640, 360, 10.0, 25.0)
# Of a face that looks straight at the camera, as shares of its box.
_AHEAD = ((0.32, 0.38), (0.67, 0.38), (0.49, 0.6), (0.36, 0.77), (0.64, 0.77))


def sure_of(emotion: Emotion, share: float = 0.94) -> tuple[float, ...]:
    """Return probabilities of which one is so large, and the others are alike."""
    rest = round((1 - share) / (len(EMOTIONS) - 1), 5)
    return tuple(share if one is emotion else rest for one in EMOTIONS)


def face_at(
    x: float,
    y: float = 100.0,
    emotion: Emotion = Emotion.NEUTRAL,
    *,
    width: float = 60.0,
    score: float = 0.99,
    share: float = 0.94,
) -> Face:
    """Return a face whose box has its left top corner there."""
    box = Box(x, y, width, 1.25 * width)
    points = [(round(x + a * box.width, 2), round(y + b * box.height, 2)) for a, b in _AHEAD]
    landmarks: Landmarks = (points[0], points[1], points[2], points[3], points[4])
    return Face(Detection(box, score, landmarks), sure_of(emotion, share))


def frames_of_faces(
    rows: Sequence[Sequence[Face]], interval: float = 0.5
) -> tuple[SampledFrame, ...]:
    """Return one frame a row, at a constant rate."""
    return tuple(
        SampledFrame(round(count * interval, 3), tuple(row)) for count, row in enumerate(rows)
    )


def result_of(
    frames: Sequence[SampledFrame],
    *,
    index: int = 0,
    cuts: Sequence[float] = (),
    skipped: int = 0,
    model: ModelVersion = MODEL,
) -> SegmentResult:
    """Return the result of a segment."""
    return SegmentResult(index, 640, 360, tuple(frames), tuple(cuts), skipped, model)
