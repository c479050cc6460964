from emotion.detection import DetectionSettings
from emotion.faces import Detection
from emotion.image import RgbImage


class FakeFinder:
    """Finds what it is told to, and keeps what it was shown."""

    def __init__(self, *found: Detection) -> None:
        self._found = found
        self.seen: list[tuple[RgbImage, DetectionSettings]] = []

    def __call__(self, image: RgbImage, settings: DetectionSettings) -> tuple[Detection, ...]:
        self.seen.append((image, settings))
        return self._found
