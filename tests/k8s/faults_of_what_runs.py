"""What the rules of commands, settings and folders are proved by; see ``test_rules``."""

from tests.k8s.planted import CONTAINER, NOTHING, POD, Fault

_FRONT, _WORKER = "Deployment/rapt-front", "StatefulSet/rapt-worker"
_TRITON, _MIGRATE = "Deployment/rapt-triton", "Job/rapt-migrate"
_ENV = (*CONTAINER, "env")
_ARGS = (*CONTAINER, "args")

OF_WHAT_RUNS = [
    Fault(
        "commands_exist", _FRONT, (*_ARGS, 0), "service.triton:EmotionServce",
        "container front runs service.triton:EmotionServce, which is not there",
    ),
    Fault(
        "commands_exist", _FRONT, (*_ARGS, 4), "--timout=5",
        "container front runs bentoml serve --timout, which is not there",
    ),
    Fault(
        "commands_exist", _TRITON, (*POD, "initContainers", 0, "command", 2), "import shutl",
        "container models runs shutl, which is not there",
    ),
    Fault(
        "commands_exist", _TRITON, (*POD, "initContainers", 0, "command", 2),
        "from service.settings import MODELS",
        "container models runs service.settings:MODELS, which is not there",
    ),
    Fault(
        "commands_exist", _TRITON, (*POD, "initContainers", 0, "command", 2), "import (",
        "container models runs import (, which is not there",
    ),
    Fault(
        "settings_are_known", _FRONT, (*_ENV, 1), {"name": "rapt_max_jobs", "value": "many"},
        "RAPT_MAX_JOBS is refused: Input should be a valid integer, unable to parse string as an "
        "integer",
    ),
    Fault(
        "settings_are_known", _FRONT, (*_ENV, 2),
        {"name": "RAPT_DEADLINE_SECONDS", "value": "soon"},
        "RAPT_DEADLINE_SECONDS is refused: Input should be a valid number, unable to parse string "
        "as a number",
    ),
    Fault(
        "settings_are_known", _FRONT, (*_ENV, 2), {"name": "RAPT_KAFKA_OPTIONS", "value": "{bad"},
        "RAPT_KAFKA_OPTIONS is refused: Input should be a valid dictionary",
    ),
    Fault(
        "ports_are_listened_on", _FRONT, (*_ARGS, 2), "--port=8080",
        "port http is 3000, and it listens on 8080",
    ),
    Fault(
        "ports_are_listened_on", _FRONT, (*_ARGS, 1), "--host=127.0.0.1",
        "it listens on port http at 127.0.0.1: nobody reaches it",
    ),
    Fault(
        "ports_are_listened_on", _FRONT, (*_ENV, 2), {"name": "RAPT_GRPC_PORT", "value": "3002"},
        "port grpc is 3001, and it listens on 3002",
    ),
    Fault(
        "ports_are_listened_on", _FRONT, (*_ENV, 2),
        {"name": "RAPT_GRPC_HOST", "value": "127.0.0.1"},
        "it listens on port grpc at 127.0.0.1: nobody reaches it",
    ),
    Fault(
        "ports_are_listened_on", _TRITON, (*_ARGS, 4), "--grpc-port=9001",
        "port grpc is 8001, and it listens on 9001",
    ),
    Fault(
        "ports_are_listened_on", _TRITON, (*_ARGS, 6), "--metrics-address=localhost",
        "it listens on port metrics at localhost: nobody reaches it",
    ),
    Fault(
        "variables_are_read", _WORKER, (*_ENV, 1), {"name": "AWS_REGON", "value": "eu-central-1"},
        "AWS_REGON is nothing that anybody reads: is it misspelt?",
    ),
    Fault(
        "variables_are_read", _WORKER, (*_ENV, 1),
        {"name": "OTEL_TRACES_SAMPLR", "value": "always_off"},
        "OTEL_TRACES_SAMPLR is nothing that anybody reads: is it misspelt?",
    ),
    Fault(
        "needed_settings_are_given", _FRONT, _ENV, NOTHING,
        "RAPT_TRITON_ADDRESS is not set, and service.triton needs it",
    ),
    Fault(
        "pods_share_what_they_keep", _WORKER, (*CONTAINER, "envFrom", 1), NOTHING,
        "it has no RAPT_DATABASE_URL, and its home is no volume of all: it would keep to itself "
        "what others look for",
    ),
    Fault(
        "pods_share_what_they_keep", _MIGRATE, (*CONTAINER, "envFrom", 1), NOTHING,
        "it has no RAPT_DATABASE_URL, and its home is no volume of all: it would keep to itself "
        "what others look for",
    ),
    Fault(
        "folders_are_mounted", _WORKER, (*CONTAINER, "volumeMounts", 0, "mountPath"),
        "/var/lib/rpat", "no volume is mounted at /var/lib/rapt, for RAPT_HOME",
    ),
    Fault(
        "folders_are_mounted", _MIGRATE, (*CONTAINER, "volumeMounts", 0, "readOnly"), True,  # noqa: FBT003  # JSON's
        "no volume is mounted at /var/lib/rapt, for RAPT_HOME",
    ),
    Fault(
        "volumes_hold_an_upload", _WORKER, (*POD, "volumes", 1, "emptyDir", "sizeLimit"), "2Gi",
        "RAPT_MAX_VIDEO_BYTES is 4294967296, more than the 2Gi of the volume at /tmp",
    ),
]  # fmt: skip

# The names of secrets' values, which all three pods are given.
OF_SECRETS = [
    (0, "RAPT_DATABSE_URL", "settings_are_known", "RAPT_DATABSE_URL is no setting of Rapt's"),
    (3, "RAPT_WEBHOK_SECRET", "settings_are_known", "RAPT_WEBHOK_SECRET is no setting of Rapt's"),
    (
        1, "AWS_ACESS_KEY_ID", "variables_are_read",
        "AWS_ACESS_KEY_ID is nothing that anybody reads: is it misspelt?",
    ),
]  # fmt: skip
