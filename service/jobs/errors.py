"""What can be wrong with a request about a video."""

from emotion.errors import InputError


class UnknownVideo(InputError):
    """There is no such video, or it is somebody else's."""


class VideoConflict(InputError):
    """The video's state doesn't allow it."""
