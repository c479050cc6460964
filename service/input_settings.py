"""Settings of what jobs are about, beside videos that are sent: photos, what lies elsewhere."""

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings

from emotion.errors import InvalidRequest
from emotion.photo_set.archive import PhotoSetLimits
from service.sources import Location


class InputSettings(BaseSettings):
    """Limits of sets of photos, and which inputs are read from where they lie."""

    max_set_bytes: int = Field(
        default=PhotoSetLimits().max_bytes,
        ge=1,
        description="Largest set of photos, in bytes, packed and unpacked.",
    )
    max_set_photos: int = Field(
        default=PhotoSetLimits().max_photos, ge=1, le=1_000_000, description="Most photos in a set."
    )
    segment_photos: int = Field(
        default=24,
        ge=1,
        le=1000,
        description="A set of photos is worked through in pieces of so many; at most the piece in "
        "work is lost with a worker.",
    )

    sources: str = Field(
        default="",
        description="URIs below which jobs may read, with commas between: s3://BUCKET/PREFIX/, "
        "gs://BUCKET/PREFIX/, az://CONTAINER/PREFIX/; empty is none. Who may read there is said by "
        "the variables of each store (AWS_*, GOOGLE_*, AZURE_*).",
    )

    @field_validator("sources")
    @classmethod
    def _are_locations(cls, sources: str) -> str:
        try:
            _locations(sources)
        except InvalidRequest as error:
            # What was given isn't told: there may be a password in it.
            raise ValueError(
                "give s3://BUCKET/PREFIX/, gs://BUCKET/PREFIX/ or az://CONTAINER/PREFIX/, with "
                "commas between; credentials come from the environment"
            ) from error
        return sources

    @property
    def allowed_sources(self) -> tuple[Location, ...]:
        """Below which jobs may read."""
        return _locations(self.sources)


def _locations(sources: str) -> tuple[Location, ...]:
    uris = (uri.strip() for uri in sources.split(","))
    return tuple(Location.of(uri) for uri in uris if uri)
