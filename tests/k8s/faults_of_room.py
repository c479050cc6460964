"""What the rules about memory, replicas and disruptions are proved by."""

from tests.k8s.planted import CONTAINER, Fault

_FRONT = "Deployment/rapt-front"
_MEMORY = (*CONTAINER, "resources", "limits", "memory")

OF_ROOM = [
    Fault(
        "quantities_are_quantities", _FRONT, _MEMORY, "2GB",
        "container front's memory: '2GB' is no quantity",
    ),
]  # fmt: skip
