"""What can be wrong with a request about a job, or a schedule of jobs."""

from emotion.errors import InputError


class UnknownJob(InputError):
    """There is no such job, or it is somebody else's."""


class UnknownSchedule(InputError):
    """There is no such schedule, or it is somebody else's."""


class JobConflict(InputError):
    """The job's state doesn't allow it."""
