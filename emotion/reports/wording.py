"""What every report says beside its figures."""

from emotion.video.spacing import Spacing

INDEX = (
    "the mean of two shares: of faces turned to the camera, and of expressions that are not neutral"
)
LIMITS = (
    "An expression is what a face looks like, not what somebody feels, thinks or means.",
    f"The engagement index is {INDEX}. It does not measure attention.",
    "Faces are told apart by where they are and how they move. Somebody who is hidden, leaves and "
    "comes back, or is shown again after a cut, may count as a new face: one row may hold several "
    "people who pass each other, and one person several rows.",
    "Faces that are small, turned away, covered or badly lit may be missed or misjudged.",
    "Don't decide about a person by this report.",
)
PHOTO_LIMITS = (LIMITS[0], *LIMITS[-2:])
# What people call the containers that are read.
CONTAINERS = {
    "mov": "MP4 or MOV", "matroska": "MKV or WebM", "avi": "AVI", "mpegts": "MPEG-TS",
}  # fmt: skip
_HALF = 0.005


def percent(share: float) -> str:
    """Return a share, 0 to 1, as people read it; only none is 0%, and only all is 100%."""
    if 0 < share < _HALF:
        return "<1%"
    return ">99%" if 1 - _HALF < share < 1 else f"{share:.0%}"


def spacing_words(spacing: Spacing) -> str:
    """Say how far apart the frames lie that were looked at, as in "every 0.5 seconds"."""
    usual = f"{round(spacing.usual, 2):g}"
    told = "every second" if usual == "1" else f"every {usual} seconds"
    if spacing.has_gaps:
        told += f"; nothing new to look at for up to {round(spacing.longest, 1):g} seconds"
    return told
