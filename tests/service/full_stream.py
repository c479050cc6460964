"""A text stream on a disk that is full."""

import errno
import io
import os


class FullStream(io.StringIO):
    """Refuses every write."""

    def write(self, _text: str, /) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def flush(self) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
