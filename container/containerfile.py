"""Reads a Containerfile's stages and instructions, as far as ours uses the language.

What isn't known here is refused, so that nothing is passed over in silence.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

WORDS = frozenset({"ARG", "CMD", "COPY", "ENV", "EXPOSE", "LABEL", "RUN", "USER", "WORKDIR"})
_FROM = re.compile(r"(?P<image>\S+)(?: AS (?P<name>[a-z][a-z0-9_.-]*))?")
_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
_PAIR = re.compile(r"(\w+)=(\S+)")


class NotUnderstood(Exception):
    """A Containerfile has what this doesn't read; the text says in which line."""


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction.

    Attributes:
        line: where it begins, from 1.
        word: as `RUN`.
        value: what follows it, in one line.
    """

    line: int
    word: str
    value: str


@dataclass(frozen=True, slots=True)
class Stage:
    """What one `FROM` begins.

    Attributes:
        name: given by `AS`; empty where it has none.
        image: what it begins with: an image, or an earlier stage.
        instructions: in order.
    """

    name: str
    image: str
    instructions: tuple[Instruction, ...]


def read_stages(text: str) -> tuple[Stage, ...]:
    """Return the stages of a Containerfile, in order.

    Raises:
        NotUnderstood: it has an instruction that isn't in ``WORDS``, or one before any `FROM`.
    """
    stages: list[Stage] = []
    for one in _instructions(text):
        if one.word == "FROM":
            match = _FROM.fullmatch(one.value)
            if not match:
                raise NotUnderstood(f"Line {one.line}: FROM {one.value} isn't understood.")
            stages.append(Stage(match["name"] or "", match["image"], ()))
        elif one.word not in WORDS or not stages:
            raise NotUnderstood(f"Line {one.line}: {one.word} isn't understood here.")
        else:
            last = stages[-1]
            stages[-1] = Stage(last.name, last.image, (*last.instructions, one))
    return tuple(stages)


def pairs(value: str) -> dict[str, str]:
    """Return what `ENV` sets, before variables are put in."""
    return dict(_PAIR.findall(value))


def with_variables(value: str, variables: Mapping[str, str]) -> str:
    """Return a value with variables put in; those that aren't set are empty."""
    return _VARIABLE.sub(lambda match: variables.get(match[1] or match[2], ""), value)


def _instructions(text: str) -> Iterator[Instruction]:
    """Join lines that go on, and leave out comments and empty lines, also between those."""
    begun, parts = 0, list[str]()
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        begun = begun or number
        goes_on = stripped.endswith("\\")
        parts.append(stripped.removesuffix("\\").strip())
        if not goes_on:
            word, _, value = " ".join(parts).partition(" ")
            yield Instruction(begun, word, value.strip())
            begun, parts = 0, []
