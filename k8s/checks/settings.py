"""What pods are told: settings that the code knows, and who a worker is."""

import json
from collections.abc import Iterator
from typing import Any, get_origin

from k8s.checks.manifests import Problem, Rendered

_PREFIX = "RAPT_"
_EXECUTOR = "RAPT_EXECUTOR_ID"


def settings_are_known(rendered: Rendered) -> Iterator[Problem]:
    """Every RAPT_* is a setting, and has a value that it takes: a wrong one stops the start."""
    # Imported late: pydantic's models take their time.
    from pydantic import ValidationError  # noqa: PLC0415

    from service.settings import Settings  # noqa: PLC0415

    for pod in rendered.pods():
        for container in pod.all_containers:
            settings = {
                name.removeprefix(_PREFIX).lower(): value
                for name, value in rendered.settings_of(container).items()
                if name.startswith(_PREFIX)
            }
            for name in sorted(settings.keys() - Settings.model_fields.keys()):
                yield pod.problem(f"{_PREFIX}{name.upper()} is no setting of Rapt's")
            known = {
                name: _value(value, Settings.model_fields[name].annotation)
                for name, value in settings.items()
                if name in Settings.model_fields
            }
            try:
                Settings.model_validate(known)
            except ValidationError as error:
                for one in error.errors():
                    name = "_".join(map(str, one["loc"])).upper()
                    yield pod.problem(f"{_PREFIX}{name} is refused: {one['msg']}")


def workers_are_their_pods(rendered: Rendered) -> Iterator[Problem]:
    """Workers have their pods' names, which stay: so that one takes up what it left in work."""
    for pod in rendered.pods():
        if pod.component != "worker":
            continue
        if pod.owner.kind != "StatefulSet":
            yield pod.problem("a worker's pod has a new name each time: make it a StatefulSet")
        for container in pod.containers:
            sources = [
                one.get("valueFrom", {}).get("fieldRef", {}).get("fieldPath")
                for one in container.get("env", [])
                if one["name"] == _EXECUTOR
            ]
            if sources != ["metadata.name"]:
                yield pod.problem(f"{_EXECUTOR} is not the pod's name (fieldRef metadata.name)")


def _value(value: str, wanted: Any) -> Any:  # noqa: ANN401  # a type, and a value of it
    """Return a variable's value as pydantic-settings reads it: objects are JSON."""
    try:
        return json.loads(value) if get_origin(wanted) is dict else value
    except json.JSONDecodeError:
        return value  # Refused as no object.
