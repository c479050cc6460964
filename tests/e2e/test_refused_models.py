"""A model that can't be used is not served, wherever it comes from; what is good goes on."""

from pathlib import Path

import pytest

from emotion.contract import CLASSIFIER_NAME, TRIAL_TAG
from tests.e2e.models import Classifiers, asking, place, readyz, version_of
from tests.e2e.servers import rapt, until
from tests.service.registry_models import TestRegistry
from tests.service.tiny_models import classifier

REFUSED = 'rapt_model_swaps_total{outcome="refused"}'


# A server, a registry and three pulls, each of which may be slow.
@pytest.mark.timeout(400)
def test_a_champion_that_breaks_a_rule_is_not_served(
    topology: str,
    folder: Path,
    home: Path,
    registry: TestRegistry,
    classifiers: Classifiers,
    face_jpeg: bytes,
) -> None:
    registry.register_champion(classifiers.second, digest="0" * 64)
    place(home, classifiers.first)

    def is_refused_for(words: str) -> bool:
        state = readyz(server)["registry"]
        return state["state"] == "refused" and words in state["detail"]

    with asking(registry.url, topology, folder) as server:
        until(lambda: is_refused_for("SHA-256"), 90, server)
        number = registry.register_champion(classifier(batch=1).SerializeToString())
        until(lambda: is_refused_for("fails its warm-up"), 90, server)
        assert readyz(server)["registry"]["champion"] == number
        trial = registry.register(classifiers.second)
        registry.tag(trial, TRIAL_TAG, "700")
        registry.make_champion(trial)
        until(lambda: is_refused_for("is a trial"), 90, server)
        assert server.metric("rapt_model_registry_champion_refused") == 1
        assert server.post(face_jpeg).json()["model"]["version"] == "first"
        assert server.metric("rapt_model_swaps_total") == 0


def test_a_broken_model_that_is_put_into_the_folder_is_not_served(
    topology: str, folder: Path, home: Path, classifiers: Classifiers, face_jpeg: bytes
) -> None:
    place(home, classifiers.first)
    with rapt(topology, folder) as server:
        place(home, classifier(classes=8).SerializeToString())
        until(lambda: server.metric(REFUSED) == 1, 60, server)
        assert server.post(face_jpeg).json()["model"]["version"] == "first"
        assert any("model_refused" in line and "(2, 8)" in line for line in server.lines)
        place(home, classifiers.second)
        until(lambda: version_of(server) == "second", 60, server)
        assert server.metric(REFUSED) == 1


def test_it_starts_beside_a_damaged_model_on_the_one_before_and_says_so(
    topology: str, folder: Path, home: Path, classifiers: Classifiers, face_jpeg: bytes
) -> None:
    place(home, classifiers.first)
    place(home, classifiers.second)
    damaged = home / "models" / CLASSIFIER_NAME / "2"
    (damaged / "model.onnx").write_bytes(b"damaged")
    with rapt(topology, folder) as server:
        assert server.post(face_jpeg).json()["model"]["version"] == "first"
        (passed_over,) = readyz(server)["model"]["passed_over"]
        assert passed_over.startswith(f"{damaged} is passed over: ")
        assert server.metric(REFUSED) == 1
        assert len([line for line in server.lines if "model_refused" in line]) == 1
        place(home, classifiers.second)
        until(lambda: version_of(server) == "second", 60, server)
        assert readyz(server)["model"]["passed_over"] == []
        assert not damaged.exists()
