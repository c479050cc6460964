"""/v1/videos and /v1/photo-sets: jobs, by their kind."""

from fastapi import APIRouter

from service.ending import Ending
from service.http.job_answers import PhotoSetsBody, VideosBody
from service.http.job_events import Followers
from service.http.job_routes import JobRoutes
from service.http.upload_bodies import PHOTO_SET_FORM, VIDEO_FORM
from service.jobs.job import Kind
from service.jobs.opener import DeskOpener
from service.settings import Settings

_KINDS = (
    JobRoutes(Kind.VIDEO, VIDEO_FORM, ("interval",), VideosBody),
    JobRoutes(Kind.PHOTOS, PHOTO_SET_FORM, (), PhotoSetsBody),
)


def job_routes(opener: DeskOpener, settings: Settings, ending: Ending) -> APIRouter:
    """Return the routes that take jobs in and tell of them, until the process is to end."""
    followers = Followers(settings.max_event_streams, ending)
    everything = APIRouter()
    for kind in _KINDS:
        router = APIRouter(tags=[kind.kind.folder])
        kind.add_to(router, opener, settings, followers)
        everything.include_router(router)
    return everything
