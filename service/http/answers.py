"""The JSON that answers a request: photos with the request's id, and errors in a batch."""

from collections.abc import Sequence
from typing import Self

from pydantic import BaseModel, Field

from emotion.errors import RaptError
from emotion.faces import PhotoAnswer
from service.answers import PhotoBody
from service.http.problems import Problem, problem_of


class IdentifiedBody(BaseModel):
    """An answer that says which request it belongs to."""

    id: str = Field(description="The request's id, also in the X-Request-Id header.")


# The id is first in the JSON: pydantic takes the fields of the last base first.
class IdentifiedPhotoBody(PhotoBody, IdentifiedBody):
    """The answer to POST /v1/photos."""


class ErrorBody(BaseModel):
    """What is wrong with one photo of a batch."""

    error: Problem


class BatchBody(IdentifiedBody):
    """The answer to POST /v1/photos:batch."""

    results: list[PhotoBody | ErrorBody] = Field(description="One a photo, in order.")

    @classmethod
    def of(cls, request_id: str, results: Sequence[PhotoAnswer | RaptError]) -> Self:
        """Translate."""
        bodies = [
            ErrorBody(error=problem_of(result, request_id))
            if isinstance(result, RaptError)
            else PhotoBody.of(result)
            for result in results
        ]
        return cls(id=request_id, results=bodies)
