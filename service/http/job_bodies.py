"""JSON that asks for something about jobs: small, read whole, and refused in a sentence."""

from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request

from emotion.errors import InvalidRequest

JSON = "application/json"
_MOST_BYTES = 64 * 1024

Body = TypeVar("Body", bound=BaseModel)


class ReferenceBody(BaseModel):
    """What is to be analysed where it lies."""

    model_config = ConfigDict(extra="forbid")

    uri: str = Field(
        description="s3://BUCKET/KEY, gs://BUCKET/KEY or az://CONTAINER/KEY, below RAPT_SOURCES."
    )
    name: str | None = Field(
        default=None, max_length=255, description="To be shown; by default the last part of uri."
    )


async def read_reference(request: Request) -> ReferenceBody:
    """Read a request for what lies elsewhere; see ``read_json``."""
    return await read_json(request, ReferenceBody)


async def read_json(request: Request, form: type[Body]) -> Body:
    """Read a body of JSON.

    Raises:
        InvalidRequest: it is too long, no JSON, or has other fields than the form.
    """
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > _MOST_BYTES:
            raise InvalidRequest(f"The JSON has more than the {_MOST_BYTES:,} bytes accepted.")
    try:
        return form.model_validate_json(bytes(content))
    except ValidationError as error:
        wrong = error.errors()[0]
        place = ".".join(map(str, wrong["loc"])) or "The body"
        raise InvalidRequest(f"{place}: {wrong['msg']}.") from error
