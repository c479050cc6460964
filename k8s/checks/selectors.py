"""Selectors find what they are meant to find."""

from collections.abc import Iterator

from k8s.checks.manifests import Body, Manifest, Pod, Problem, Rendered, selects

_OWNERS = ("DaemonSet", "Deployment", "StatefulSet")


def selectors_find_pods(rendered: Rendered) -> Iterator[Problem]:
    """Whoever selects pods selects some: labels are compared, which no server does."""
    for manifest in rendered.manifests:
        if manifest.kind in _OWNERS:
            if not selects(manifest.spec["selector"], Pod.of(manifest).labels):
                yield manifest.problem("its selector doesn't match the labels of its own pods")
        elif (selector := _selector(manifest)) is not None and not rendered.pods_of(selector):
            yield manifest.problem(f"it selects no pod: {_words(selector)}")


def spreads_count_their_own(rendered: Rendered) -> Iterator[Problem]:
    """A pod is spread among its own kind: a constraint that counts other pods spreads nothing."""
    for pod in rendered.pods():
        for constraint in pod.spec.get("topologySpreadConstraints", []):
            if not selects(constraint["labelSelector"], pod.labels):
                yield pod.problem(
                    f"its spread over {constraint['topologyKey']} doesn't count its own pods"
                )


def _selector(manifest: Manifest) -> Body | None:
    """Return whom it selects as a LabelSelector; None where it selects nobody, or everybody."""
    if manifest.kind == "Service":
        labels = manifest.spec.get("selector")
        return {"matchLabels": labels} if labels else None
    if manifest.kind == "PodDisruptionBudget":
        selector: Body = manifest.spec["selector"]
        return selector
    if manifest.kind == "NetworkPolicy":
        return manifest.spec["podSelector"] or None
    return None


def _words(selector: Body) -> str:
    labels = [f"{key}={value}" for key, value in selector.get("matchLabels", {}).items()]
    labels += [
        f"{one['key']} {one['operator']} {one.get('values', '')}"
        for one in selector.get("matchExpressions", [])
    ]
    return ", ".join(labels)
