"""Probes ask what the application answers, and pods end without losing requests."""

from collections.abc import Iterator
from functools import cache

from starlette.routing import Route

from k8s.checks.manifests import Body, Pod, Problem, Rendered

# What Triton answers; docs.nvidia.com, "HTTP/REST and GRPC Protocol".
_TRITON = frozenset({"/v2/health/live", "/v2/health/ready"})
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
# BentoML's own bound of a request comes so many seconds after ours (service.bentoml_options).
_AFTER_DEADLINE = 10.0
_LEAST_SLEEP = 5  # Seconds until nobody sends a pod anything more that is told to end.


def probe_paths_exist(rendered: Rendered) -> Iterator[Problem]:
    """Paths of probes are those that the service, or Triton, answers."""
    for pod in rendered.pods():
        known = _TRITON if pod.component == "triton" else _paths()
        for container in pod.containers:
            for probe in _PROBES:
                path = container.get(probe, {}).get("httpGet", {}).get("path")
                if path is not None and path not in known:
                    yield pod.problem(f"its {probe} asks {path}, which nobody answers")


def probes_mean_different_things(rendered: Rendered) -> Iterator[Problem]:
    """Who has ports has all three probes, and its liveness doesn't depend on others."""
    for pod in rendered.pods():
        for container in pod.containers:
            if not container.get("ports"):
                continue
            paths = {probe: container.get(probe, {}).get("httpGet", {}) for probe in _PROBES}
            missing = [probe for probe in _PROBES if not paths[probe]]
            if missing:
                yield pod.problem(f"container {container['name']} has no {', no '.join(missing)}")
            elif paths["livenessProbe"]["path"] == paths["readinessProbe"]["path"]:
                yield pod.problem(
                    f"its livenessProbe asks {paths['livenessProbe']['path']} as its "
                    "readinessProbe does: pods would be restarted as soon as what they need is away"
                )


def pods_drain(rendered: Rendered) -> Iterator[Problem]:
    """Who takes requests waits before it ends, and has the time to finish what it has."""
    for pod in rendered.pods():
        for container in pod.containers:
            if not container.get("ports"):
                continue
            sleep = container.get("lifecycle", {}).get("preStop", {}).get("sleep", {})
            seconds = sleep.get("seconds", 0)
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
        if rolling.get("maxUnavailable") != 0:
            yield deployment.problem("its strategy's maxUnavailable is not 0")


def _longest_request(rendered: Rendered, pod: Pod, container: Body) -> float:
    if pod.component == "triton":
        options = [one for one in container["args"] if one.startswith("--exit-timeout-secs=")]
        return float(options[0].partition("=")[2]) if options else 30.0
    from service.settings import Settings  # noqa: PLC0415  # pydantic's models take their time

    default = Settings.model_fields["deadline_seconds"].default
    set_to = rendered.settings_of(container).get("RAPT_DEADLINE_SECONDS", default)
    try:
        return float(set_to) + _AFTER_DEADLINE
    except ValueError:
        return 0.0  # Another rule says of a setting that it is refused.


@cache
def _paths() -> frozenset[str]:
    """Return the paths that the front answers, asked of itself."""
    # Imported late: the service's libraries take a second.
    from service.data_plane import DataPlane  # noqa: PLC0415
    from service.http.health import health_routes  # noqa: PLC0415
    from service.jobs.opener import DeskOpener  # noqa: PLC0415
    from service.settings import Settings  # noqa: PLC0415

    settings = Settings()
    routes = health_routes(DataPlane(settings), DeskOpener(settings)).routes
    return frozenset(route.path for route in routes if isinstance(route, Route))
