from collections.abc import Sequence

from emotion.detection import DetectionSettings
from emotion.faces import Detection
from emotion.image import RgbImage


class FakeFinder:
    """Finds what it is told to, and keeps what it was shown.

    Args:
        found: what it finds.
        then: what it finds from the second time on, if that is something else.
    """

    def __init__(self, *found: Detection, then: Sequence[Detection] | None = None) -> None:
        self._found = found
        self._then = found if then is None else tuple(then)
        self.seen: list[tuple[RgbImage, DetectionSettings]] = []

    def __call__(self, image: RgbImage, settings: DetectionSettings) -> tuple[Detection, ...]:
        self.seen.append((image, settings))
        return self._found if len(self.seen) == 1 else self._then
