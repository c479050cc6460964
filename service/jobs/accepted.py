"""What the input of a job of some kind may be."""

from collections.abc import Callable
from dataclasses import dataclass

from emotion.errors import InputError, PhotoSetTooLarge, VideoTooLarge
from emotion.photo_set import archive
from service.jobs.job import Kind
from service.settings import Settings


@dataclass(frozen=True, slots=True)
class Accepted:
    """What is accepted of a kind.

    Attributes:
        kind: of the job.
        max_bytes: the most.
        head_bytes: so many of the first are enough to tell what it is.
        check: looks at those; raises ``InputError`` where they are not accepted.
        too_large: is raised where there are too many bytes.
    """

    kind: Kind
    max_bytes: int
    head_bytes: int
    check: Callable[[bytes], object]
    too_large: type[InputError]

    def check_size(self, size: int) -> None:
        """Refuse too many bytes.

        Raises:
            InputError: ``too_large``; they are.
        """
        if size > self.max_bytes:
            raise self.too_large(
                f"The {self.kind.noun} is larger than the {self.max_bytes:,} bytes accepted."
            )


def accepted_of(kind: Kind, settings: Settings) -> Accepted:
    """Return what is accepted of a kind."""
    match kind:
        case Kind.VIDEO:
            # Imported late: it loads FFmpeg, which a front that is sent photos alone does without.
            from emotion.video.container import HEAD_BYTES, container_of  # noqa: PLC0415

            most = settings.max_video_bytes
            return Accepted(kind, most, HEAD_BYTES, container_of, VideoTooLarge)
        case Kind.PHOTOS:
            most = settings.max_set_bytes
            return Accepted(kind, most, archive.HEAD_BYTES, archive.check_head, PhotoSetTooLarge)
