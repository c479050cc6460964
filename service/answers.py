"""The JSON of an answer, the same for every transport that speaks JSON.

Coordinates are pixels of the upright photo, origin at the top left.
"""

from typing import Self

from pydantic import BaseModel, Field

from emotion.faces import LANDMARK_NAMES, Box, Face, PhotoAnswer
from emotion.labels import EMOTIONS, Emotion

_PIXEL_DIGITS = 1
_SHARE_DIGITS = 4


class PointBody(BaseModel):
    """A place in the photo, in pixels."""

    x: float
    y: float


class BoxBody(BaseModel):
    """A face's box, in pixels; it may reach past the photo's edge."""

    x: float
    y: float
    width: float
    height: float

    @classmethod
    def of(cls, box: Box) -> Self:
        """Translate."""
        x, y, width, height = (
            round(value, _PIXEL_DIGITS) for value in (box.x, box.y, box.width, box.height)
        )
        return cls(x=x, y=y, width=width, height=height)


class FaceBody(BaseModel):
    """One face and its apparent expression."""

    box: BoxBody
    score: float = Field(description="How sure it is that this is a face, 0 to 1.")
    landmarks: dict[str, PointBody] = Field(
        description=f"The places of {', '.join(LANDMARK_NAMES)}; left as seen in the photo."
    )
    emotion: Emotion = Field(description="The most probable expression.")
    confidence: float = Field(description="Its calibrated probability, 0 to 1.")
    probabilities: dict[Emotion, float] = Field(description="Of all seven; they add up to 1.")

    @classmethod
    def of(cls, face: Face) -> Self:
        """Translate."""
        found = face.detection
        points = {
            name: PointBody(x=round(x, _PIXEL_DIGITS), y=round(y, _PIXEL_DIGITS))
            for name, (x, y) in zip(LANDMARK_NAMES, found.landmarks, strict=True)
        }
        shares = (round(share, _SHARE_DIGITS) for share in face.probabilities)
        return cls(
            box=BoxBody.of(found.box),
            score=round(found.score, _SHARE_DIGITS),
            landmarks=points,
            emotion=face.emotion,
            confidence=round(face.confidence, _SHARE_DIGITS),
            probabilities=dict(zip(EMOTIONS, shares, strict=True)),
        )


class ImageBody(BaseModel):
    """The upright photo's size, in pixels."""

    width: int
    height: int


class ModelBody(BaseModel):
    """Which classifier answered."""

    name: str
    version: str


class PhotoBody(BaseModel):
    """What one photo shows."""

    image: ImageBody
    faces: list[FaceBody] = Field(description="Largest face first; empty if there is none.")
    model: ModelBody

    @classmethod
    def of(cls, answer: PhotoAnswer) -> Self:
        """Translate."""
        return cls(
            image=ImageBody(width=answer.width, height=answer.height),
            faces=[FaceBody.of(face) for face in answer.faces],
            model=ModelBody(name=answer.model.name, version=answer.model.version),
        )
