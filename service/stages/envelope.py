"""How rows travel between BentoML's processes: pickled, and unopened on the way."""

from collections.abc import Sequence
from typing import Generic, TypeVar

Content = TypeVar("Content")


class Envelope(Generic[Content]):
    """Carries one value.

    BentoML passes arguments through pydantic, which takes dataclasses apart into dicts; a
    plain object it leaves alone.
    """

    __slots__ = ("content",)

    def __init__(self, content: Content) -> None:
        """Seal a value."""
        self.content = content


def seal(values: Sequence[Content]) -> list[Envelope[Content]]:
    """Put each value into an envelope."""
    return [Envelope(value) for value in values]


def unseal(envelopes: Sequence[Envelope[Content]]) -> list[Content]:
    """Take the values out."""
    return [envelope.content for envelope in envelopes]
