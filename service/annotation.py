"""Draws an answer onto its photo: a box a face, with the emotion and how sure it is."""

import io

from PIL import Image, ImageDraw, ImageFont

from emotion.faces import Face, PhotoAnswer
from emotion.image import RgbImage
from emotion.labels import Emotion
from emotion.palette import COLOURS

_QUALITY = 90


def annotate(image: RgbImage, answer: PhotoAnswer) -> bytes:
    """Return a JPEG of the photo with its faces marked.

    Args:
        image: uint8 [height, width, 3], RGB, the upright photo the answer is about.
        answer: its faces.
    """
    picture = Image.fromarray(image)
    draw = ImageDraw.Draw(picture)
    line = max(2, round(max(picture.size) / 400))
    font = ImageFont.load_default(size=max(12, round(max(picture.size) / 50)))
    for face in reversed(answer.faces):
        _mark(draw, face, line, font)
    content = io.BytesIO()
    picture.save(content, "JPEG", quality=_QUALITY)
    return content.getvalue()


def _mark(
    draw: ImageDraw.ImageDraw,
    face: Face,
    line: int,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
) -> None:
    box, colour = face.detection.box, COLOURS[face.emotion]
    corners = (box.x, box.y, box.x + box.width, box.y + box.height)
    draw.rectangle(corners, outline=colour, width=line)
    label = f"{face.emotion} {face.confidence:.0%}"
    place = draw.textbbox((box.x, box.y), label, font=font, anchor="lb")
    place = draw.textbbox((box.x, max(box.y, place[3] - place[1])), label, font=font, anchor="lb")
    draw.rectangle(place, fill=colour)
    ink = "white" if face.emotion is Emotion.SAD else "black"  # the one dark colour
    draw.text((place[0], place[3]), label, fill=ink, font=font, anchor="lb")
