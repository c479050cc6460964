"""A job that is asked for by where its input lies, and what may be set of a job at all."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from emotion.errors import InvalidRequest
from emotion.video.settings import VideoSettings
from service.jobs.job import Kind, Priority, digest_of
from service.settings import Settings
from service.sources import Location, allowed_location

_ASKED: dict[Kind, tuple[str, ...]] = {Kind.VIDEO: ("interval",), Kind.PHOTOS: ()}


@dataclass(frozen=True, slots=True)
class JobRequest:
    """What is to be made of something that lies elsewhere.

    Attributes:
        kind: what it is.
        uri: where it lies.
        name: as the caller calls it; None for its own.
        settings: how it is to be analysed, as far as a caller may say; see ``settings_of``.
        key: the same again is the same job; None is no key.
        priority: which goes first.
        webhook: who is told when it has ended; None is nobody.
    """

    kind: Kind
    uri: str
    name: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    key: str | None = None
    priority: Priority = Priority.NORMAL
    webhook: str | None = None

    @property
    def key_digest(self) -> str | None:
        """What is kept of the key."""
        return None if self.key is None else digest_of(self.key)


def priority_of(name: str) -> Priority:
    """Return the priority of a name.

    Raises:
        InvalidRequest: there is none.
    """
    try:
        return Priority(name)
    except ValueError as error:
        known = ", ".join(Priority)
        raise InvalidRequest(f"priority: {name[:32]!r} is none of {known}.") from error


def location_of(kind: Kind, uri: str, settings: Settings) -> Location:
    """Return where a URI leads that a job of some kind may be about.

    A video is one object. A set of photos is a zip, one photo, or all objects below a prefix, which
    ends in a slash.

    Raises:
        InvalidRequest: it may not be read, or is no URI.
    """
    location = allowed_location(uri, settings.allowed_sources)
    if kind is Kind.VIDEO and location.is_prefix:
        raise InvalidRequest(f"uri: {uri[:64]!r} names no object: a video is one.")
    return location


def asked_in(kind: Kind, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a caller may ask for, of a job's settings; the rest is the service's own."""
    return {name: settings[name] for name in _ASKED[kind]}


def settings_of(kind: Kind, asked: Mapping[str, Any], settings: Settings) -> dict[str, Any]:
    """Return how a job is analysed: as its caller asks, else as the service is set.

    Args:
        kind: of the job.
        asked: of a video ``interval``, the seconds between two frames that are looked at; of a set
            of photos nothing.
        settings: the service's.

    Raises:
        InvalidRequest: something else is asked, or what can't be.
    """
    for name, value in asked.items():
        if name not in _ASKED[kind]:
            raise InvalidRequest(f"settings: {name[:32]!r} is none of a {kind.noun}.")
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise InvalidRequest(f"{name}: {str(value)[:32]!r} is not a number.")
    if kind is Kind.PHOTOS:
        return {"segment_photos": settings.segment_photos}
    interval = float(asked.get("interval", VideoSettings().interval))
    return asdict(VideoSettings(interval, settings.segment_seconds, settings.min_score))
