"""Manifests with one thing wrong in them, planted into those that are right."""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from k8s.checks.manifests import Manifest, Rendered

Steps = tuple[str | int, ...]
CONTAINER: Steps = ("spec", "template", "spec", "containers", 0)
POD: Steps = ("spec", "template", "spec")


class _Nothing:
    """In place of a value: there is none."""


NOTHING = _Nothing()


@dataclass(frozen=True)
class Fault:
    """What is planted, and what has to be said of it.

    Attributes:
        rule: the only one that may notice.
        where: kind and name of the object that is changed.
        steps: to the value; a number past a list's end adds to it.
        value: what it is changed to.
        reason: what is said.
        subject: of which object; left out, of the one that is changed.
    """

    rule: str
    where: str
    steps: Steps
    value: Any
    reason: str
    subject: str = ""

    def __str__(self) -> str:
        return f"{self.rule}-{self.where}-{'.'.join(map(str, self.steps[-2:]))}"

    def planted_in(self, rendered: Rendered) -> Rendered:
        """Return manifests that have it."""
        return changed(rendered, self.where, lambda body: put(body, self.steps, self.value))


def changed(rendered: Rendered, where: str, change: Callable[[dict[str, Any]], None]) -> Rendered:
    """Return manifests of which one is changed."""
    bodies = {str(one): copy.deepcopy(dict(one.body)) for one in rendered.manifests}
    change(bodies[where])
    return Rendered(tuple(map(Manifest, bodies.values())), rendered.is_shared)


def without(rendered: Rendered, where: str) -> Rendered:
    """Return manifests of which one is gone."""
    kept = tuple(one for one in rendered.manifests if str(one) != where)
    assert len(kept) == len(rendered.manifests) - 1
    return Rendered(kept, rendered.is_shared)


def added(rendered: Rendered, body: dict[str, Any]) -> Rendered:
    """Return manifests with one more."""
    return Rendered((*rendered.manifests, Manifest(body)), rendered.is_shared)


def put(body: Any, steps: Steps, value: Any) -> None:  # noqa: ANN401  # any JSON
    """Change a value inside of another."""
    *way, last = steps
    for step in way:
        body = body[step]
    if value is NOTHING:
        del body[last]
    elif isinstance(body, list) and last == len(body):
        body.append(value)
    else:
        body[last] = value
