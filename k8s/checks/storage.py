"""Where pods keep what they have: all in one place, in folders that they may write to."""

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from k8s.checks.commands import is_ours
from k8s.checks.manifests import Body, Pod, Problem, Rendered
from k8s.checks.resources import amount

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

_ROWS, _OBJECTS, _HOME = "RAPT_DATABASE_URL", "RAPT_STORAGE_URL", "RAPT_HOME"
_TEMPORARY = "/tmp"  # noqa: S108  # that of a container
_FOLDERS = ("BENTOML_HOME", "HOME", _HOME)


def pods_share_what_they_keep(rendered: Rendered) -> Iterator[Problem]:
    """Rows and objects are out of the pods, or on one volume: else each pod would have its own."""
    shared = ""
    for pod, container in _ours(rendered):
        variables = rendered.variables_of(container)
        # Who brings tables up to date has no objects.
        needed = (_ROWS,) if pod.component == "migration" else (_ROWS, _OBJECTS)
        missing = [name for name in needed if variables.get(name, "") == ""]
        home = _volume_at(pod, container, variables.get(_HOME) or "")
        claim = home.get("persistentVolumeClaim", {}).get("claimName", "")
        shared = shared or claim
        if missing and (not claim or claim != shared):
            yield pod.problem(
                f"it has no {' and no '.join(missing)}, and its home is no volume of all: it would "
                "keep to itself what others look for"
            )


def folders_are_mounted(rendered: Rendered) -> Iterator[Problem]:
    """Folders that a pod writes to are on volumes: all else is read-only."""
    for pod, container in _ours(rendered):
        settings = rendered.settings_of(container)
        folders = {name: settings[name] for name in _FOLDERS if name in settings}
        for name, folder in {**folders, "temporary files": _TEMPORARY}.items():
            if not _volume_at(pod, container, folder):
                yield pod.problem(f"no volume is mounted at {folder}, for {name}")


def volumes_hold_an_upload(rendered: Rendered) -> Iterator[Problem]:
    """A worker has room for a copy of the largest upload: where it was sent, and elsewhere."""
    from service.settings import Settings  # noqa: PLC0415  # pydantic's models take their time

    fields = Settings.model_fields
    for pod, container in _ours(rendered):
        if pod.component != "worker":
            continue
        settings = rendered.settings_of(container)
        largest = {
            f"RAPT_{name.upper()}": _number(settings.get(f"RAPT_{name.upper()}"), fields[name])
            for name in ("max_video_bytes", "max_set_bytes")
        }
        name = max(largest, key=largest.__getitem__)
        for folder in (settings.get(_HOME, ""), _TEMPORARY):
            limit = _volume_at(pod, container, folder).get("emptyDir", {}).get("sizeLimit")
            if limit and largest[name] > amount(limit):
                yield pod.problem(
                    f"{name} is {largest[name]}, more than the {limit} of the volume at {folder}"
                )


def _number(value: str | None, field: "FieldInfo") -> int:
    """Return a setting's number; one that is none is told of by ``settings_are_known``."""
    return int(value) if value and value.isdecimal() else int(field.default)


def _ours(rendered: Rendered) -> list[tuple[Pod, Body]]:
    """Return the containers of Rapt's image that stay."""
    return [
        (pod, container)
        for pod in rendered.pods()
        for container in pod.containers
        if is_ours(container["image"])
    ]


def _volume_at(pod: Pod, container: Body, folder: str) -> Body:
    """Return the volume that a folder is on and may be written to; empty: none."""
    volumes = {one["name"]: one for one in pod.spec.get("volumes", [])}
    for claim in pod.owner.spec.get("volumeClaimTemplates", []):
        volumes[claim["metadata"]["name"]] = {"name": claim["metadata"]["name"]}
    mounts = {PurePosixPath(one["mountPath"]): one for one in container.get("volumeMounts", [])}
    path = PurePosixPath(folder)
    for place in (path, *path.parents):
        if place in mounts:
            mount = mounts[place]
            return {} if mount.get("readOnly") else volumes.get(mount["name"], {})
    return {}
