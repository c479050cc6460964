"""What pods are told: settings that somebody reads, those that are needed, and who a worker is."""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, get_origin

from k8s.checks.commands import runs
from k8s.checks.manifests import Problem, Rendered

_PREFIX = "RAPT_"
_EXECUTOR = "RAPT_EXECUTOR_ID"
# By the module that a container runs; their defaults are for one machine.
_NEEDED = {"service.kafka": "RAPT_KAFKA_SERVERS", "service.triton": "RAPT_TRITON_ADDRESS"}


def settings_are_known(rendered: Rendered) -> Iterator[Problem]:
    """Every RAPT_* is a setting, and has a value that it takes: a wrong one stops the start."""
    # Imported late: pydantic's models take their time.
    from pydantic import ValidationError  # noqa: PLC0415

    from service.settings import Settings  # noqa: PLC0415

    for pod in rendered.pods():
        for container in pod.all_containers:
            settings = _settings(rendered.variables_of(container))
            for name in sorted(settings.keys() - Settings.model_fields.keys()):
                yield pod.problem(f"{_PREFIX}{name.upper()} is no setting of Rapt's")
            known = {
                name: _value(value, Settings.model_fields[name].annotation)
                for name, value in settings.items()
                # One that is empty is as good as none; see Settings.
                if value and name in Settings.model_fields
            }
            try:
                Settings.model_validate(known)
            except ValidationError as error:
                for one in error.errors():
                    name = "_".join(map(str, one["loc"])).upper()
                    yield pod.problem(f"{_PREFIX}{name} is refused: {one['msg']}")


def variables_are_read(rendered: Rendered) -> Iterator[Problem]:
    """Variables that are named as a store's client's, or OpenTelemetry's, are among theirs."""
    for pod in rendered.pods():
        for container in pod.all_containers:
            for name in sorted(rendered.variables_of(container)):
                if not _is_read(name):
                    yield pod.problem(f"{name} is nothing that anybody reads: is it misspelt?")


def needed_settings_are_given(rendered: Rendered) -> Iterator[Problem]:
    """Who asks another server is told where that one is."""
    for pod in rendered.pods():
        for container in pod.containers:
            needed = _NEEDED.get(runs(container))
            if needed and rendered.variables_of(container).get(needed, "") == "":
                yield pod.problem(f"{needed} is not set, and {runs(container)} needs it")


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


def _settings(variables: Mapping[str, str | None]) -> dict[str, str | None]:
    """Return the fields of settings: their variables' case doesn't count."""
    return {
        name.upper().removeprefix(_PREFIX).lower(): value
        for name, value in variables.items()
        if name.upper().startswith(_PREFIX)
    }


def _value(value: str, wanted: Any) -> Any:  # noqa: ANN401  # a type, and a value of it
    """Return a variable's value as pydantic-settings reads it: objects are JSON."""
    if get_origin(wanted) is not dict:
        return value
    try:
        return json.loads(value)
    except json.JSONDecodeError:
        return value  # The setting refuses it.


@cache
def _is_read(name: str) -> bool:
    """Say whether a variable is read, as far as whose it is shows in its name."""
    from obstore.exceptions import BaseError, UnknownConfigurationKeyError  # noqa: PLC0415
    from obstore.store import AzureStore, GCSStore, S3Store  # noqa: PLC0415
    from opentelemetry import environment_variables as api  # noqa: PLC0415
    from opentelemetry.sdk import environment_variables as sdk  # noqa: PLC0415

    prefix = name.partition("_")[0]
    if prefix == "OTEL":
        return hasattr(api, name) or hasattr(sdk, name)
    stores = {"AWS": S3Store, "AZURE": AzureStore, "GOOGLE": GCSStore}
    if prefix not in stores:
        return True
    try:
        stores[prefix]("bucket", config={name: ""})
    except UnknownConfigurationKeyError:
        return False
    except BaseError:
        return True  # It is known, though nothing can be begun with it alone.
    return True
