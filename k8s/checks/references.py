"""What an object names is there: ports, volumes, other objects."""

from collections.abc import Iterator

from k8s.checks.manifests import Body, Pod, Problem, Rendered

_HASH = 10  # Characters that kustomize gives it.
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")


def ports_exist(rendered: Rendered) -> Iterator[Problem]:
    """Ports that are asked or led to are those of containers; Services lead to names."""
    for pod in rendered.pods():
        for container in pod.containers:
            ports = container.get("ports", [])
            known = {port.get(key) for port in ports for key in ("name", "containerPort")}
            for probe in _PROBES:
                asked = container.get(probe, {})
                port = asked.get("httpGet", asked.get("grpc", {})).get("port")
                if port is not None and port not in known:
                    yield pod.problem(f"its {probe} asks port {port}, which the container hasn't")
    for service in rendered.of("Service"):
        for port in service.spec.get("ports", []):
            wanted = port.get("targetPort", port["port"])
            for pod in rendered.pods_behind(service):
                if wanted not in pod.ports:
                    yield service.problem(f"port {wanted} is none of {pod.owner}'s names of ports")


def routes_lead_somewhere(rendered: Rendered) -> Iterator[Problem]:
    """Routes name services, and ports that those have."""
    services = {one.name: one for one in rendered.of("Service")}
    for route in rendered.of("HTTPRoute", "GRPCRoute"):
        for rule in route.spec["rules"]:
            for backend in rule["backendRefs"]:
                service = services.get(backend["name"])
                ports = service.spec.get("ports", []) if service else []
                if backend["port"] not in [port["port"] for port in ports]:
                    yield route.problem(
                        f"there is no Service {backend['name']} with port {backend['port']}"
                    )


def volumes_exist(rendered: Rendered) -> Iterator[Problem]:
    """What is mounted is a volume of the pod, and no volume is there for nobody."""
    for pod in rendered.pods():
        volumes = {volume["name"] for volume in pod.spec.get("volumes", [])}
        volumes |= {
            claim["metadata"]["name"] for claim in pod.owner.spec.get("volumeClaimTemplates", [])
        }
        mounted = {
            mount["name"]
            for container in pod.all_containers
            for mount in container.get("volumeMounts", [])
        }
        for name in sorted(mounted - volumes):
            yield pod.problem(f"it mounts the volume {name}, which it hasn't")
        for name in sorted(volumes - mounted):
            yield pod.problem(f"its volume {name} is mounted nowhere")


def named_objects_exist(rendered: Rendered) -> Iterator[Problem]:
    """Accounts, maps, secrets and claims that pods name are made here."""
    there = {
        "ConfigMap": rendered.names("ConfigMap"),
        "PersistentVolumeClaim": rendered.names("PersistentVolumeClaim"),
        "Secret": {one.spec["target"]["name"] for one in rendered.of("ExternalSecret")},
        "Service": rendered.names("Service"),
        "ServiceAccount": rendered.names("ServiceAccount"),
    }
    for pod in rendered.pods():
        for kind, name in sorted(set(_named(pod))):
            if name not in there[kind]:
                yield pod.problem(f"it names the {kind} {name}, which nothing here makes")


def settings_roll_pods(rendered: Rendered) -> Iterator[Problem]:
    """Pods name maps by the hash of what is in them: else a changed setting reaches nobody."""
    for pod in rendered.pods():
        for kind, name in sorted(set(_named(pod))):
            suffix = name.rpartition("-")[2]
            if kind == "ConfigMap" and not (len(suffix) == _HASH and suffix.isalnum()):
                yield pod.problem(
                    f"the name of its ConfigMap {name} doesn't end in a hash, so that a change "
                    "of it is no rollout: let configMapGenerator make it"
                )


def _named(pod: Pod) -> Iterator[tuple[str, str]]:
    """Give kind and name of what a pod names."""
    if "serviceName" in pod.owner.spec:
        yield "Service", pod.owner.spec["serviceName"]
    yield "ServiceAccount", pod.spec.get("serviceAccountName", "default")
    for volume in pod.spec.get("volumes", []):
        if "persistentVolumeClaim" in volume:
            yield "PersistentVolumeClaim", volume["persistentVolumeClaim"]["claimName"]
        if "configMap" in volume:
            yield "ConfigMap", volume["configMap"]["name"]
        if "secret" in volume:
            yield "Secret", volume["secret"]["secretName"]
    for container in pod.all_containers:
        yield from _named_by(container)


def _named_by(container: Body) -> Iterator[tuple[str, str]]:
    kinds = {"configMapRef": "ConfigMap", "secretRef": "Secret"}
    keyed = {"configMapKeyRef": "ConfigMap", "secretKeyRef": "Secret"}
    for source in container.get("envFrom", []):
        yield from ((kinds[key], ref["name"]) for key, ref in source.items() if key in kinds)
    for variable in container.get("env", []):
        source = variable.get("valueFrom", {})
        yield from ((keyed[key], ref["name"]) for key, ref in source.items() if key in keyed)
