"""The seven emotions, in FER2013's own order: the one place where the order is written.

Every probability vector in the project has this order on its last axis. The exported
model carries the same names in ``labels.txt``; the service refuses to become ready when
the two differ.
"""

from enum import StrEnum


class Emotion(StrEnum):
    """An apparent facial expression. Members are listed in FER2013's label order."""

    ANGRY = "angry"
    DISGUST = "disgust"
    FEAR = "fear"
    HAPPY = "happy"
    SAD = "sad"
    SURPRISE = "surprise"
    NEUTRAL = "neutral"


EMOTIONS: tuple[Emotion, ...] = tuple(Emotion)
