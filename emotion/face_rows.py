"""A face as a row of JSON, with as many digits as are kept."""

from typing import Any

from emotion.faces import Box, Detection, Face

_PLACE_DIGITS = 2
_SHARE_DIGITS = 5


def rounded(face: Face) -> Face:
    """Return a face with as many digits as are kept: 0.01 pixels, 0.00001 of a share."""
    found = face.detection
    box = (round(side, _PLACE_DIGITS) for side in _sides(found.box))
    one, two, three, four, five = (
        (round(x, _PLACE_DIGITS), round(y, _PLACE_DIGITS)) for x, y in found.landmarks
    )
    return Face(
        Detection(Box(*box), round(found.score, _SHARE_DIGITS), (one, two, three, four, five)),
        tuple(round(share, _SHARE_DIGITS) for share in face.probabilities),
    )


def row_of(face: Face) -> list[object]:
    """Return a face as JSON keeps it; see ``face_of``."""
    found = face.detection
    return [_sides(found.box), found.score, found.landmarks, face.probabilities]


def face_of(row: list[Any]) -> Face:
    """Return the face that ``row_of`` was given."""
    box, score, landmarks, probabilities = row
    one, two, three, four, five = ((x, y) for x, y in landmarks)
    found = Detection(Box(*box), score, (one, two, three, four, five))
    return Face(found, tuple(probabilities))


def _sides(box: Box) -> tuple[float, float, float, float]:
    return box.x, box.y, box.width, box.height
