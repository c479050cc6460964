"""Autoscalers: whom they scale, between which bounds, with what they log in."""

from collections.abc import Iterator

from k8s.checks.manifests import Manifest, Problem, Rendered

SCALERS = ("HorizontalPodAutoscaler", "ScaledObject")


def least_of(scaler: Manifest) -> int:
    """Return with how few pods it is content: what is left out is 0 with KEDA, else 1."""
    key, default = ("minReplicaCount", 0) if scaler.kind == "ScaledObject" else ("minReplicas", 1)
    least: int = scaler.spec.get(key, default)
    return least


def scaled_by(scaler: Manifest) -> str:
    """Return kind and name of what it scales."""
    target = scaler.spec["scaleTargetRef"]
    return f"{target.get('kind', 'Deployment')}/{target['name']}"


def scaling_has_room(rendered: Rendered) -> Iterator[Problem]:
    """The least number of pods is below the most, and is not none."""
    for scaler in rendered.of(*SCALERS):
        least = least_of(scaler)
        most = scaler.spec.get("maxReplicas", scaler.spec.get("maxReplicaCount", 100))
        if least >= most:
            yield scaler.problem(f"it scales from {least} to {most}, which is no range")
        elif least < 1:
            yield scaler.problem(
                "it scales to no pod at all: then no metric says that one is needed, and nobody "
                "sweeps or tells of ends"
            )


def one_scales_a_workload(rendered: Rendered) -> Iterator[Problem]:
    """Whoever is scaled is there, by one alone, and with no number of its own to fight with."""
    scaled: dict[str, Manifest] = {}
    for scaler in rendered.of(*SCALERS):
        name = scaled_by(scaler)
        found = [one for one in rendered.manifests if str(one) == name]
        if not found:
            yield scaler.problem(f"it scales {name}, which is not there")
        elif name in scaled:
            yield scaler.problem(f"it scales {name}, and so does {scaled[name]}: they would fight")
        elif "replicas" in found[0].spec:
            yield found[0].problem(f"it has replicas, and {scaler} has them too: they would fight")
        scaled[name] = scaler


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
