"""An index of engagement, from what can be seen of faces.

    index = (facing + expressive) / 2, 0 to 1
    facing      the share of faces that are turned to the camera: yaw at most 30 degrees to either
                side, pitch at most 25
    expressive  the mean over the faces of 1 - P(neutral)

It says that faces are turned this way and move. It does not say that anybody attends, likes or
understands anything: who looks at the stage beside the camera isn't facing, and who frowns at their
telephone is expressive. Compare it within one video, and with nothing else.
"""

from dataclasses import dataclass

from emotion.faces import Landmarks
from emotion.labels import EMOTIONS, Emotion
from emotion.pose import pose_of

MOST_YAW, MOST_PITCH = 30.0, 25.0
_NEUTRAL = EMOTIONS.index(Emotion.NEUTRAL)


@dataclass(frozen=True, slots=True)
class Engagement:
    """Of some faces, at one time or over many.

    Attributes:
        facing: share that is turned to the camera, 0 to 1.
        expressive: mean of 1 - P(neutral), 0 to 1.
    """

    facing: float
    expressive: float

    @property
    def index(self) -> float:
        """The mean of both, 0 to 1."""
        return (self.facing + self.expressive) / 2


def is_facing(landmarks: Landmarks) -> bool:
    """Say whether a face is turned to the camera, as far as five landmarks tell."""
    pose = pose_of(landmarks)
    return abs(pose.yaw) <= MOST_YAW and abs(pose.pitch) <= MOST_PITCH


def expressiveness(probabilities: tuple[float, ...]) -> float:
    """Return 1 - P(neutral) of one face."""
    return 1 - probabilities[_NEUTRAL]
