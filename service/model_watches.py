"""What keeps a running service's model up to date: two watches, each a thread.

One pulls the registry's champion into the models folder, and belongs to the front. The other
takes up what is in that folder, and belongs to whoever holds the classifier.
"""

from collections.abc import Callable

from service.metrics import SwapMetrics
from service.models.registry import RegistryMisconfigured, registry_uri, server_address
from service.models.registry_watch import (
    RegistryState,
    RegistryWatch,
    pull_in_a_process,
    registry_misconfigured,
    registry_off,
)
from service.models.swapping import SwappingClassifier
from service.periodic import Periodic
from service.settings import Settings

_LOOK_SECONDS = 1.0


def swapping_classifier(settings: Settings) -> SwappingClassifier:
    """Load the classifier, and take up new versions of it from now on.

    Raises:
        ContractMismatch: no version of it is what the code was built for.
    """
    classifier = SwappingClassifier(settings.model_repositories, settings.max_batch, SwapMetrics())
    Periodic("model-swap", classifier.refresh, _LOOK_SECONDS).start()
    return classifier


def watch_registry(settings: Settings) -> Callable[[], RegistryState]:
    """Pull the registry's champion from now on, if there is a registry; return who knows how.

    Nothing is waited for: the service serves what was pulled last, or is built in. An address
    that is none keeps it from nothing else: for training it may be right, as a database's is.
    """
    uri = registry_uri()
    if uri is None or settings.model_poll_seconds == 0:
        state = registry_off()
        return lambda: state
    try:
        server_address(uri)
    except RegistryMisconfigured as error:
        state = registry_misconfigured(error.message)
        return lambda: state
    watch = RegistryWatch(pull_in_a_process)
    Periodic("registry", watch.look, settings.model_poll_seconds).start()
    return lambda: watch.state
