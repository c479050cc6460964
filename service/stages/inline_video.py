"""Both models in this process, for the frames of a video.

Apart from those for photos: what reads videos loads FFmpeg.
"""

from emotion.detection import DetectionSettings, FaceNetwork
from emotion.faces import Sighting
from emotion.image import RgbImage
from emotion.sighting import sight_frame
from emotion.stages import FrameClassifier
from emotion.video.analysis import DETECTING, VideoAnalyser
from emotion.video.settings import VideoLimits, VideoSettings
from service.models.openvino import OpenVinoFaceNetwork
from service.models.served import choose_detector
from service.settings import Settings


class InlineFrameDetector:
    """``emotion.stages.FrameDetector`` in this process."""

    def __init__(self, network: FaceNetwork, settings: DetectionSettings) -> None:
        """Join the model with what it is to look for."""
        self._network = network
        self._settings = settings

    def __call__(self, frame: RgbImage) -> Sighting:
        """Find the faces in a frame; see the protocol."""
        return sight_frame(frame, self._network, self._settings)


def video_analyser(
    classifier: FrameClassifier, settings: Settings, limits: VideoLimits, video: VideoSettings
) -> VideoAnalyser:
    """Put together what looks at a video's segments, with both models in this process.

    Args:
        classifier: that judges all of the video's faces.
        settings: of the service.
        limits: of the video.
        video: how it is looked at.

    Raises:
        ContractMismatch: the detector is not what the code was built for.
    """
    repository = choose_detector(settings.model_repositories).repository
    network = OpenVinoFaceNetwork(repository, settings.detector_precision, parallel=DETECTING)
    detection = DetectionSettings(settings.detection_side, video.min_score / 2)
    return VideoAnalyser(InlineFrameDetector(network, detection), classifier, limits, video)


def describe_detector(settings: Settings) -> str:
    """Name the detector that ``video_analyser`` takes, for a report.

    Raises:
        ContractMismatch: there is none.
    """
    chosen = choose_detector(settings.model_repositories)
    return f"{chosen.name} {chosen.number} at {settings.detection_side} pixels"
