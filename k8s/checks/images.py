"""Images are known to the byte."""

import re
from collections.abc import Iterator

from k8s.checks.manifests import Problem, Rendered

# What stands in a digest's place until `make pin-images` has asked the registry. It is no digest,
# so that nothing can be started with it.
PLACEHOLDER = "sha256:PINNED_BY_MAKE_PIN_IMAGES"
_PINNED = re.compile(rf"[^@]+@(sha256:[0-9a-f]{{64}}|{PLACEHOLDER})")


def images_are_pinned(rendered: Rendered) -> Iterator[Problem]:
    """In a shared cluster images have digests: tags move, and kustomize's newTag drops a digest."""
    if not rendered.is_shared:
        return
    for pod in rendered.pods():
        for container in pod.all_containers:
            if not _PINNED.fullmatch(container["image"]):
                yield pod.problem(
                    f"container {container['name']}'s image {container['image']} has no digest: "
                    "give `images` of the overlay one (make pin-images)"
                )
