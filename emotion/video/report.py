"""What a report says. How it looks as a file is ``emotion.reports``."""

from dataclasses import dataclass

from emotion.faces import Box, ModelVersion
from emotion.labels import EMOTIONS, Emotion
from emotion.video.engagement import Engagement
from emotion.video.settings import VideoInfo, VideoSettings

# Shares of the emotions, in label order.
Shares = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class FaceMoment:
    """One face at one time.

    Attributes:
        time: seconds.
        box: where it is, in pixels of the upright frame.
        emotion: that is told.
        probabilities: smoothed over time, in label order.
        facing: whether it is turned to the camera.
    """

    time: float
    box: Box
    emotion: Emotion
    probabilities: Shares
    facing: bool

    @property
    def confidence(self) -> float:
        """The smoothed probability of the emotion that is told."""
        return self.probabilities[EMOTIONS.index(self.emotion)]


@dataclass(frozen=True, slots=True)
class Confidence:
    """How sure the emotions that are told are, 0 to 1."""

    minimum: float
    average: float
    median: float


@dataclass(frozen=True, slots=True)
class FaceReport:
    """One face over the whole video.

    Attributes:
        id: means nothing outside this report.
        moments: at which it was seen, in order of time; at least one.
        shares: of its moments, by the emotion that is told.
        confidence: of its moments.
        engagement: mean of its moments.
    """

    id: str
    moments: tuple[FaceMoment, ...]
    shares: Shares
    confidence: Confidence
    engagement: Engagement

    @property
    def emotion(self) -> Emotion:
        """The emotion that is told most often."""
        return EMOTIONS[self.shares.index(max(self.shares))]

    @property
    def first_seen(self) -> float:
        """Seconds."""
        return self.moments[0].time

    @property
    def last_seen(self) -> float:
        """Seconds."""
        return self.moments[-1].time


@dataclass(frozen=True, slots=True)
class AudienceMoment:
    """All faces at one time.

    Attributes:
        time: seconds.
        faces: how many are seen.
        shares: of the faces, by the emotion that is told; all 0 where there is none.
        engagement: of the faces; None where there is none.
    """

    time: float
    faces: int
    shares: Shares
    engagement: Engagement | None


@dataclass(frozen=True, slots=True)
class Audience:
    """All faces over the whole video.

    Attributes:
        moments: one a sampled frame, in order of time.
        shares: of all faces in all moments, by the emotion that is told; all 0 if there is none.
        confidence: of all faces in all moments; None if there is none.
        engagement: mean of all faces in all moments; None if there is none.
    """

    moments: tuple[AudienceMoment, ...]
    shares: Shares
    confidence: Confidence | None
    engagement: Engagement | None

    @property
    def most_at_once(self) -> int:
        """Faces in the frame that shows most of them."""
        return max((moment.faces for moment in self.moments), default=0)


@dataclass(frozen=True, slots=True)
class KeyMoment:
    """A time that is worth a look.

    Attributes:
        time: seconds: of a sampled frame that shows it.
        kind: ``peak`` of an emotion, ``change`` of the audience, most ``engaged``, ``fullest``.
        text: what happens, in a sentence for people.
    """

    time: float
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Report:
    """What a video shows.

    Attributes:
        info: of the video.
        settings: it was looked at with.
        model: who judged the faces.
        detector: who found them.
        skipped: packets and frames that were damaged or out of order.
        cuts: times at which a new shot begins.
        faces: in the order in which they appear.
        audience: all of them together.
        key_moments: in order of time.
    """

    info: VideoInfo
    settings: VideoSettings
    model: ModelVersion
    detector: str
    skipped: int
    cuts: tuple[float, ...]
    faces: tuple[FaceReport, ...]
    audience: Audience
    key_moments: tuple[KeyMoment, ...]
