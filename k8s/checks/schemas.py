"""Every field is known, and of the right type: what a server would refuse, and what it would drop.

Kubernetes' own kinds are held against its schemas, strictly: an unknown field is an error.
Kinds that others bring have no schema there: ``k8s/schemas`` has one of each that is used, of those
fields that are used and no others, read off the API's reference. A field that is new here is added
there, with its type looked up. What the rules need, and Kubernetes' schemas leave open, is in
``needed.yaml`` there.
"""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import kubernetes_validate
import yaml
from jsonschema import Draft202012Validator
from jsonschema import ValidationError as Invalid

from k8s.checks.manifests import Manifest, Problem, Rendered

KUBERNETES = "1.34"
_SCHEMAS = Path(__file__).resolve().parents[1] / "schemas"
_NEEDED = _SCHEMAS / "needed.yaml"


def fields_are_known(rendered: Rendered) -> Iterator[Problem]:
    """Objects are as the schemas of Kubernetes and of its extensions say."""
    for manifest in rendered.manifests:
        if (reason := _refusal(json.dumps(manifest.body))) is not None:
            yield manifest.problem(reason)


@cache
def _refusal(written: str) -> str | None:
    """Say what is wrong with an object; kept, as folders have most of their objects in common."""
    manifest = Manifest(json.loads(written))
    group, _, version = str(manifest.body["apiVersion"]).rpartition("/")
    own = _SCHEMAS / f"{group}_{manifest.kind.lower()}.yaml"
    try:
        if own.exists():
            _validator(own).validate(manifest.body)
        else:
            kubernetes_validate.validate(manifest.body, KUBERNETES, strict=True)
        _validator(_NEEDED).validate(manifest.body)
    except Invalid as error:
        place = ".".join(str(step) for step in error.absolute_path) or "at the top"
        return f"{place}: {error.message}"
    except kubernetes_validate.SchemaNotFoundError:
        return (
            f"no schema of {manifest.body['apiVersion']} {manifest.kind} is known; Kubernetes "
            f"{KUBERNETES} has none of version {version}, and k8s/schemas has no {own.name}"
        )
    return None


@cache
def _validator(file: Path) -> Draft202012Validator:
    schema: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)
