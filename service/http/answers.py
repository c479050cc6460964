"""The JSON that answers a request: photos with the request's id, and errors in a batch."""

from collections.abc import Sequence
from typing import Self

from pydantic import BaseModel, Field

from emotion.errors import RaptError
from emotion.faces import PhotoAnswer
from service.answers import PhotoBody
from service.http.problems import Problem, problem_of


class IdentifiedPhotoBody(PhotoBody):
    """The answer to POST /v1/photos."""

    id: str = Field(description="The request's id, also in the X-Request-Id header.")


class ErrorBody(BaseModel):
    """What is wrong with one photo of a batch."""

    error: Problem


class BatchBody(BaseModel):
    """The answer to POST /v1/photos:batch."""

    id: str = Field(description="The request's id, also in the X-Request-Id header.")
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
