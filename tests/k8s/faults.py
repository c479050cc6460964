"""What each rule is proved by; see ``tests.k8s.test_rules``."""

from tests.k8s.planted import CONTAINER, NOTHING, POD, Fault

_RAPT = {"app.kubernetes.io/name": "rapt"}
_FRONT, _WORKER = "Deployment/rapt-front", "StatefulSet/rapt-worker"
_TRITON, _MIGRATE = "Deployment/rapt-triton", "Job/rapt-migrate"
_SPREAD = (*POD, "topologySpreadConstraints", 0, "labelSelector", "matchLabels")
_COMPONENT = "app.kubernetes.io/component"
_MODELS = (*POD, "initContainers", 0)

OF_OBJECTS = [
    Fault(
        "fields_are_known", _FRONT, (*CONTAINER, "imagePullPolcy"), "Always",
        "spec.template.spec.containers.0: Additional properties are not allowed ('imagePullPolcy' "
        "was unexpected)",
    ),
    Fault(
        "fields_are_known", _FRONT, ("spec", "replicas"), "two",
        "spec.replicas: 'two' is not of type 'integer', 'null'",
    ),
    Fault(
        "fields_are_known", "ScaledObject/rapt-worker", ("spec", "minReplicas"), 1,
        "spec: Additional properties are not allowed ('minReplicas' was unexpected)",
    ),
    Fault(
        "fields_are_known", "GRPCRoute/rapt-front", ("apiVersion",),
        "gateway.networking.k8s.io/v1alpha2",
        "apiVersion: 'gateway.networking.k8s.io/v1' was expected",
    ),
    Fault(
        "fields_are_known", "ExternalSecret/rapt", ("kind",), "ExternalSecrets",
        "no schema of external-secrets.io/v1 ExternalSecrets is known; Kubernetes 1.34 has none of "
        "version v1, and k8s/schemas has no external-secrets.io_externalsecrets.yaml",
        subject="ExternalSecrets/rapt",
    ),
    Fault(
        "selectors_find_pods", "Service/rapt-front", ("spec", "selector", _COMPONENT), "frnt",
        "it selects no pod: app.kubernetes.io/component=frnt, app.kubernetes.io/name=rapt",
    ),
    Fault(
        "selectors_find_pods", _FRONT, ("spec", "selector", "matchLabels", _COMPONENT), "frnt",
        "its selector doesn't match the labels of its own pods",
    ),
    Fault(
        "selectors_find_pods", "PodDisruptionBudget/rapt-worker",
        ("spec", "selector", "matchLabels"), {**_RAPT, _COMPONENT: "workers"},
        "it selects no pod: app.kubernetes.io/name=rapt, app.kubernetes.io/component=workers",
    ),
    Fault(
        "spreads_count_their_own", _WORKER, (*_SPREAD, _COMPONENT), "front",
        "its spread over kubernetes.io/hostname doesn't count its own pods",
    ),
    Fault(
        "ports_exist", _FRONT, (*CONTAINER, "readinessProbe", "httpGet", "port"), "web",
        "its readinessProbe asks port web, which the container hasn't",
    ),
    Fault(
        "ports_exist", "Service/rapt-front", ("spec", "ports", 0, "targetPort"), "web",
        "port web is none of Deployment/rapt-front's names of ports",
    ),
    Fault(
        "ports_exist", "Service/rapt-front", ("spec", "ports", 0, "targetPort"), 3000,
        "port 3000 is none of Deployment/rapt-front's names of ports",
    ),
    Fault(
        "routes_lead_somewhere", "HTTPRoute/rapt-front",
        ("spec", "rules", 0, "backendRefs", 0, "port"), 3001,
        "there is no Service rapt-front with port 3001",
    ),
    Fault(
        "routes_lead_somewhere", "GRPCRoute/rapt-front",
        ("spec", "rules", 0, "backendRefs", 0, "name"), "rapt-grpc",
        "there is no Service rapt-grpc with port 3001",
    ),
    Fault(
        "volumes_exist", _WORKER, (*CONTAINER, "volumeMounts", 2),
        {"name": "cache", "mountPath": "/cache"},
        "it mounts the volume cache, which it hasn't",
    ),
    Fault(
        "volumes_exist", _WORKER, (*POD, "volumes", 2), {"name": "cache", "emptyDir": {}},
        "its volume cache is mounted nowhere",
    ),
    Fault(
        "named_objects_exist", _FRONT, (*POD, "serviceAccountName"), "raptor",
        "it names the ServiceAccount raptor, which nothing here makes",
    ),
    Fault(
        "named_objects_exist", _WORKER, ("spec", "serviceName"), "rapt-workers",
        "it names the Service rapt-workers, which nothing here makes",
    ),
    Fault(
        "named_objects_exist", _WORKER, (*CONTAINER, "envFrom", 2), {"secretRef": {"name": "rapt"}},
        "it names the Secret rapt, which nothing here makes",
    ),
]  # fmt: skip

OF_WORK = [
    Fault(
        "probe_paths_exist", _FRONT, (*CONTAINER, "livenessProbe", "httpGet", "path"), "/healthz",
        "its livenessProbe asks /healthz, which nobody answers",
    ),
    Fault(
        "probe_paths_exist", _TRITON, (*CONTAINER, "startupProbe", "httpGet", "path"), "/readyz",
        "its startupProbe asks /readyz, which nobody answers",
    ),
    Fault(
        "probes_mean_different_things", _FRONT,
        (*CONTAINER, "livenessProbe", "httpGet", "path"), "/readyz",
        "its livenessProbe asks /readyz: pods would be restarted as soon as what they need is away",
    ),
    Fault(
        "probes_mean_different_things", _FRONT,
        (*CONTAINER, "startupProbe", "httpGet", "path"), "/readyz",
        "its startupProbe asks /readyz: pods would never start where what they need is away",
    ),
    Fault(
        "probes_mean_different_things", _FRONT,
        (*CONTAINER, "readinessProbe", "httpGet", "path"), "/livez",
        "its readinessProbe asks /livez: pods would be sent what they can't answer",
    ),
    Fault(
        "probes_mean_different_things", _FRONT, (*CONTAINER, "livenessProbe"),
        {"grpc": {"port": 3001}},
        "its livenessProbe asks /readyz: pods would be restarted as soon as what they need is away",
    ),
    Fault(
        "starts_are_given_time", _FRONT, (*CONTAINER, "startupProbe", "failureThreshold"), 1,
        "its startupProbe gives it 2 s: pods that take longer are restarted for ever; 60 s are the "
        "least",
    ),
    Fault(
        "probes_mean_different_things", _TRITON, (*CONTAINER, "startupProbe"), NOTHING,
        "container triton has no startupProbe",
    ),
    Fault(
        "pods_drain", _FRONT, (*CONTAINER, "lifecycle"), NOTHING,
        "container front has no preStop sleep of 5 s or more: requests still come when it has "
        "stopped listening",
    ),
    Fault(
        "pods_drain", _FRONT, (*POD, "terminationGracePeriodSeconds"), 30,
        "terminationGracePeriodSeconds is 30, less than the 50 s that its preStop sleep and its "
        "longest request take",
    ),
    Fault(
        "pods_drain", _TRITON, (*CONTAINER, "args", 2), "--exit-timeout-secs=90",
        "terminationGracePeriodSeconds is 60, less than the 100 s that its preStop sleep and its "
        "longest request take",
    ),
    Fault(
        "rollouts_keep_serving", _FRONT,
        ("spec", "strategy", "rollingUpdate", "maxUnavailable"), 1,
        "its strategy's maxUnavailable is not 0",
    ),
    Fault(
        "settings_are_known", _WORKER, (*CONTAINER, "env", 1),
        {"name": "RAPT_JOB_TRYS", "value": "3"}, "RAPT_JOB_TRYS is no setting of Rapt's",
    ),
    Fault(
        "settings_are_known", _FRONT, (*CONTAINER, "env", 1, "value"), "0",
        "RAPT_TRITON_PHOTOS is refused: Input should be greater than or equal to 1",
    ),
    Fault(
        "workers_are_their_pods", _WORKER,
        (*CONTAINER, "env", 0, "valueFrom", "fieldRef", "fieldPath"), "spec.nodeName",
        "RAPT_EXECUTOR_ID is not the pod's name (fieldRef metadata.name)",
    ),
    Fault(
        "commands_exist", _WORKER, (*CONTAINER, "command", 2), "service.workers",
        "container worker runs python -m service.workers, which is not there",
    ),
    Fault(
        "commands_exist", _MIGRATE, (*CONTAINER, "command", 1), "upgrade",
        "container migrate runs rapt upgrade, which is not there",
    ),
    Fault(
        "images_are_pinned", _WORKER, (*CONTAINER, "image"), "registry.example.com/rapt:0.1.0",
        "container worker's image registry.example.com/rapt:0.1.0 has no digest: give `images` of "
        "the overlay one (make pin-images)",
    ),
    Fault(
        "images_are_pinned", _WORKER, (*CONTAINER, "image"),
        "registry.example.com/rapt@sha256:1234",
        "container worker's image registry.example.com/rapt@sha256:1234 has no digest: give "
        "`images` of the overlay one (make pin-images)",
    ),
]  # fmt: skip
