"""What can be wrong with a request about a job."""

from emotion.errors import InputError


class UnknownJob(InputError):
    """There is no such job, or it is somebody else's."""


class JobConflict(InputError):
    """The job's state doesn't allow it."""
