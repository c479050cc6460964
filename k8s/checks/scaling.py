"""Autoscalers: whom they scale, between which bounds, on which metric."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from k8s.checks.manifests import Manifest, Problem, Rendered

_SCALERS = ("HorizontalPodAutoscaler", "ScaledObject")
_SERVICE = Path(__file__).resolve().parents[2] / "service"
# In a query, and in the code: a counter's name there lacks _total, a histogram's the other ends.
_METRIC = re.compile(r"\b(?:rapt|nv)_[a-z0-9_]+")
_NAMED = re.compile(r'"(rapt_[a-z0-9_]+)"')
_ENDS = ("_total", "_bucket", "_sum", "_count")
# Of Triton, which are used here; github.com/triton-inference-server, docs/user_guide/metrics.md.
TRITON_METRICS = frozenset(
    {
        "nv_inference_queue_duration_us",
        "nv_inference_request_success",
        "nv_inference_pending_request_count",
    }
)


def scaling_has_room(rendered: Rendered) -> Iterator[Problem]:
    """The least number of pods is below the most."""
    for scaler in rendered.of(*_SCALERS):
        least = scaler.spec.get("minReplicas", scaler.spec.get("minReplicaCount", 0))
        most = scaler.spec.get("maxReplicas", scaler.spec.get("maxReplicaCount", 100))
        if least >= most:
            yield scaler.problem(f"it scales from {least} to {most}, which is no range")


def one_scales_a_workload(rendered: Rendered) -> Iterator[Problem]:
    """Whoever is scaled is there, by one alone, and with no number of its own to fight with."""
    scaled: dict[str, Manifest] = {}
    for scaler in rendered.of(*_SCALERS):
        target = scaler.spec["scaleTargetRef"]
        name = f"{target.get('kind', 'Deployment')}/{target['name']}"
        found = [one for one in rendered.manifests if str(one) == name]
        if not found:
            yield scaler.problem(f"it scales {name}, which is not there")
        elif name in scaled:
            yield scaler.problem(f"it scales {name}, and so does {scaled[name]}: they would fight")
        elif "replicas" in found[0].spec:
            yield found[0].problem(f"it has replicas, and {scaler} has them too: they would fight")
        scaled[name] = scaler


def scaling_metrics_exist(rendered: Rendered) -> Iterator[Problem]:
    """What is scaled on is something that the code, or Triton, counts."""
    for scaler in rendered.of(*_SCALERS):
        for name in sorted(set(_METRIC.findall(_queries(scaler)))):
            if name not in TRITON_METRICS and _plain(name) not in counted():
                yield scaler.problem(f"it scales on {name}, which nobody counts")


def triggers_name_their_authentication(rendered: Rendered) -> Iterator[Problem]:
    """What KEDA logs in with is there, and takes it out of a secret that is."""
    names = rendered.names("TriggerAuthentication")
    secrets = {
        one.spec["target"]["name"]: [data["secretKey"] for data in one.spec["data"]]
        for one in rendered.of("ExternalSecret")
    }
    for scaler in rendered.of("ScaledObject"):
        for trigger in scaler.spec["triggers"]:
            name = trigger.get("authenticationRef", {}).get("name")
            if name is not None and name not in names:
                yield scaler.problem(f"there is no TriggerAuthentication {name}")
    for authentication in rendered.of("TriggerAuthentication"):
        for ref in authentication.spec["secretTargetRef"]:
            if ref["key"] not in secrets.get(ref["name"], []):
                yield authentication.problem(f"no secret {ref['name']} has the key {ref['key']}")


@cache
def counted() -> frozenset[str]:
    """Return the metrics that the service names, without the ends that Prometheus adds."""
    sources = (file.read_text(encoding="utf-8") for file in _SERVICE.rglob("*.py"))
    return frozenset(_plain(name) for source in sources for name in _NAMED.findall(source))


def _plain(name: str) -> str:
    for end in _ENDS:
        name = name.removesuffix(end)
    return name


def _queries(scaler: Manifest) -> str:
    """Return where a scaler names metrics."""
    asked = [trigger["metadata"].get("query", "") for trigger in scaler.spec.get("triggers", [])]
    for metric in scaler.spec.get("metrics", []):
        source = metric.get("pods") or metric.get("external") or metric.get("object") or {}
        asked.append(source.get("metric", {}).get("name", ""))
    return " ".join(asked)
