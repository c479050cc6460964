"""Probes ask what the application answers, and pods end without losing requests."""

import re
from collections.abc import Iterator
from functools import cache

from starlette.routing import Route

from k8s.checks.manifests import Body, Pod, Problem, Rendered

_LIVE, _READY = "/livez", "/readyz"
# What Triton answers; docs.nvidia.com, "HTTP/REST and GRPC Protocol".
_TRITON_LIVE, _TRITON_READY = "/v2/health/live", "/v2/health/ready"
_TRITON = frozenset({_TRITON_LIVE, _TRITON_READY})
# A Triton is ready by itself; a front is not.
_MAY_ASK = {
    "startupProbe": {_LIVE, *_TRITON},
    "readinessProbe": {_READY, _TRITON_READY},
    "livenessProbe": {_LIVE, _TRITON_LIVE},
}
_ELSE = {
    "startupProbe": "pods would never start where what they need is away",
    "readinessProbe": "pods would be sent what they can't answer",
    "livenessProbe": "pods would be restarted as soon as what they need is away",
}
# BentoML's own bound of a request comes so many seconds after ours (service.bentoml_options).
_AFTER_DEADLINE = 10.0
_LEAST_SLEEP = 5  # Seconds until nobody sends a pod anything more that is told to end.
_LEAST_START = 60  # Seconds in which models are loaded on a node that is busy.
_SLEEP = re.compile(r"\bsleep (\d+)")


def probe_paths_exist(rendered: Rendered) -> Iterator[Problem]:
    """Paths of probes are those that the service, or Triton, answers."""
    for pod in rendered.pods():
        for container in pod.containers:
            for probe in _MAY_ASK:
                path = container.get(probe, {}).get("httpGet", {}).get("path")
                if path is not None and path not in _known(pod):
                    yield pod.problem(f"its {probe} asks {path}, which nobody answers")


def probes_mean_different_things(rendered: Rendered) -> Iterator[Problem]:
    """Who has ports has all three probes, and its liveness doesn't depend on others."""
    for pod in rendered.pods():
        for container in pod.containers:
            if not container.get("ports"):
                continue
            missing = [probe for probe in _MAY_ASK if probe not in container]
            if missing:
                yield pod.problem(f"container {container['name']} has no {', no '.join(missing)}")
            for probe, paths in _MAY_ASK.items():
                path = _asked(pod, container.get(probe, {}))
                if path in _known(pod) - paths:
                    yield pod.problem(f"its {probe} asks {path}: {_ELSE[probe]}")


def starts_are_given_time(rendered: Rendered) -> Iterator[Problem]:
    """Fronts and Tritons are given the time that models take; others may be quick."""
    for pod in rendered.pods():
        for container in pod.containers:
            probe = container.get("startupProbe")
            if probe is None or container["name"] != pod.component:
                continue
            seconds = probe.get("periodSeconds", 10) * probe.get("failureThreshold", 3)
            if seconds < _LEAST_START:
                yield pod.problem(
                    f"its startupProbe gives it {seconds} s: pods that take longer are restarted "
                    f"for ever; {_LEAST_START} s are the least"
                )


def pods_drain(rendered: Rendered) -> Iterator[Problem]:
    """Who takes requests waits before it ends, and has the time to finish what it has."""
    for pod in rendered.pods():
        for container in pod.containers:
            if not container.get("ports"):
                continue
            seconds = _sleep(container)
            if seconds < _LEAST_SLEEP:
                yield pod.problem(
                    f"container {container['name']} has no preStop sleep of {_LEAST_SLEEP} s or "
                    "more: requests still come when it has stopped listening"
                )
            needed = seconds + _longest_request(rendered, pod, container)
            grace = pod.spec.get("terminationGracePeriodSeconds", 30)
            if grace < needed:
                yield pod.problem(
                    f"terminationGracePeriodSeconds is {grace}, less than the {needed:.0f} s that "
                    "its preStop sleep and its longest request take"
                )


def rollouts_keep_serving(rendered: Rendered) -> Iterator[Problem]:
    """A Deployment takes no pod away before the next one is ready."""
    for deployment in rendered.of("Deployment"):
        rolling = deployment.spec.get("strategy", {}).get("rollingUpdate", {})
        if str(rolling.get("maxUnavailable")) not in ("0", "0%"):
            yield deployment.problem("its strategy's maxUnavailable is not 0")


def _asked(pod: Pod, probe: Body) -> str | None:
    """Return the path that a probe asks; gRPC's health is what readiness is over HTTP."""
    if "grpc" in probe:
        return _TRITON_READY if pod.component == "triton" else _READY
    path: str | None = probe.get("httpGet", {}).get("path")
    return path


def _sleep(container: Body) -> int:
    """Return the seconds for which a container sleeps before it ends."""
    hook = container.get("lifecycle", {}).get("preStop", {})
    written = _SLEEP.search(" ".join(hook.get("exec", {}).get("command", [])))
    seconds: int = hook.get("sleep", {}).get("seconds", int(written[1]) if written else 0)
    return seconds


def _longest_request(rendered: Rendered, pod: Pod, container: Body) -> float:
    if pod.component == "triton":
        options = [
            one for one in container.get("args", []) if one.startswith("--exit-timeout-secs=")
        ]
        return _seconds(options[0].partition("=")[2]) if options else 30.0
    from service.settings import Settings  # noqa: PLC0415  # pydantic's models take their time

    default = Settings.model_fields["deadline_seconds"].default
    set_to = rendered.settings_of(container).get("RAPT_DEADLINE_SECONDS", default)
    return _seconds(set_to) + _AFTER_DEADLINE


def _seconds(value: str | float) -> float:
    """Read a number; another word is refused elsewhere: of settings, and by Triton."""
    try:
        return float(value)
    except ValueError:
        return 0.0


def _known(pod: Pod) -> frozenset[str]:
    return _TRITON if pod.component == "triton" else inner_paths()


@cache
def inner_paths() -> frozenset[str]:
    """Return the paths that the front answers to its cluster alone, asked of itself."""
    # Imported late: the service's libraries take a second.
    from service.data_plane import DataPlane  # noqa: PLC0415
    from service.http.health import health_routes  # noqa: PLC0415
    from service.jobs.opener import DeskOpener  # noqa: PLC0415
    from service.settings import Settings  # noqa: PLC0415

    settings = Settings()
    routes = health_routes(DataPlane(settings), DeskOpener(settings)).routes
    return frozenset(route.path for route in routes if isinstance(route, Route))
