"""Everything that can go wrong, split by whose fault it is. No status codes in here.

RaptError
├── InputError              the caller's: sending the same again fails again
│   ├── UnsupportedImage    not an image, or a kind that isn't accepted
│   ├── UndecodableImage    starts like an image, but can't be decoded
│   ├── ImageTooLarge       too many bytes or pixels
│   ├── UnsupportedVideo    not a video, or a kind that isn't accepted
│   ├── UndecodableVideo    starts like a video, but has no frame that can be decoded
│   ├── VideoTooLarge       too many bytes, pixels or streams
│   ├── VideoTooLong        plays longer than is accepted
│   ├── UnsupportedPhotoSet no zip, or nothing in it that could be a photo
│   ├── UndecodablePhotoSet starts like a zip, but can't be read
│   ├── PhotoSetTooLarge    too many bytes or photos
│   └── InvalidRequest      a field is missing or wrong
├── CapacityError           nobody's: the same may succeed later
│   ├── Overloaded          too much at once; says when to try again
│   ├── DeadlineExceeded    not answered in time; the work was not done
│   └── Stopped             ended on request, in the middle of the work
└── ModelError              ours
    ├── ModelUnavailable    a model does not answer
    └── ContractMismatch    a model file is not what the code was built for
"""

import re


class RaptError(Exception):
    """Base of all errors with a message that may be shown to a caller."""

    def __init__(self, message: str) -> None:
        """Keep one plain sentence: what is wrong and what to do."""
        super().__init__(message)
        self.message = message

    @property
    def kind(self) -> str:
        """The error's name for programs, as in ``image-too-large``."""
        return re.sub(r"(?<!^)(?=[A-Z])", "-", type(self).__name__).lower()


class InputError(RaptError):
    """The caller's fault: sending the same again fails again."""


class UnsupportedImage(InputError):
    """The bytes are no image, or an image of a kind that isn't accepted."""


class UndecodableImage(InputError):
    """The bytes start like an image but can't be decoded."""


class ImageTooLarge(InputError):
    """Too many bytes or pixels."""


class UnsupportedVideo(InputError):
    """The bytes are no video, or a video of a kind that isn't accepted."""


class UndecodableVideo(InputError):
    """The bytes start like a video but no frame of it can be decoded."""


class VideoTooLarge(InputError):
    """Too many bytes, pixels or streams."""


class VideoTooLong(InputError):
    """It plays longer than is accepted."""


class UnsupportedPhotoSet(InputError):
    """The bytes are no zip, or nothing in it could be a photo."""


class UndecodablePhotoSet(InputError):
    """The bytes start like a zip but can't be read."""


class PhotoSetTooLarge(InputError):
    """Too many bytes, packed or not, or too many photos."""


class InvalidRequest(InputError):
    """A field of the request is missing or wrong."""


class CapacityError(RaptError):
    """Nobody's fault: the same request may succeed later."""


class Overloaded(CapacityError):
    """Too much work at once."""

    def __init__(self, message: str, retry_after: float = 1.0) -> None:
        """Add the time in seconds after which trying again makes sense."""
        super().__init__(message)
        self.retry_after = retry_after

    def __reduce__(self) -> tuple[type["Overloaded"], tuple[str, float]]:
        """Cross a process boundary whole."""
        return type(self), (self.message, self.retry_after)


class DeadlineExceeded(CapacityError):
    """There was no time left before the work began; it was not done."""


class Stopped(CapacityError):
    """It was ended in the middle, because whoever asked for it no longer wants it."""


class ModelError(RaptError):
    """Our fault."""


class ModelUnavailable(ModelError):
    """A model does not answer."""


class ContractMismatch(ModelError):
    """A model file is not what the code was built for."""
