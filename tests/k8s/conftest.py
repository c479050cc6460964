import os

import pytest

from k8s.checks.manifests import Rendered
from k8s.checks.rendering import FOLDER, render


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings of the machine that runs the tests don't count."""
    for name in [name for name in os.environ if name.startswith("RAPT_")]:
        monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def production() -> Rendered:
    """All that is right. Not to be changed."""
    return render(FOLDER / "overlays" / "production")


@pytest.fixture(scope="session")
def without_keda() -> Rendered:
    """The same, scaled by Kubernetes' own autoscaler. Not to be changed."""
    return render(FOLDER / "examples" / "hpa")
