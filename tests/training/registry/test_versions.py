from hashlib import sha256
from pathlib import Path

import mlflow.artifacts
import pytest
import yaml
from mlflow.models import ModelSignature

from tests.mlflow_server import MlflowServer
from tests.training.registry.answer_sheets import offer
from tests.training.registry.conftest import open_run
from training.errors import RegistryError
from training.export.candidate import Precision
from training.registry.logged_model import uploaded_model
from training.registry.tracking import TrackedRun, Tracker
from training.registry.versions import Registry, Version

RIGHT = range(30)


def numbers(registry: Registry) -> list[str]:
    found = registry.tracker.client.search_model_versions(f"name = '{registry.name}'")
    return sorted(str(version.version) for version in found)


def logged_models(registry: Registry, run: TrackedRun) -> list[str]:
    client = registry.tracker.client
    experiment = client.get_run(run.run_id).info.experiment_id
    found = client.search_logged_models([experiment], f"source_run_id = '{run.run_id}'")
    return sorted(model.name for model in found)


def test_both_files_become_versions_that_say_what_they_are(
    registry: Registry, run: TrackedRun, tmp_path: Path
) -> None:
    candidate = offer(tmp_path, RIGHT, "2026.11.24-1a2b3c4d")

    versions = registry.register(candidate, run.run_id)

    figures = {"val_accuracy_fp32": "1.000000", "val_accuracy_int8": "0.666667"}
    expected: tuple[tuple[str, Precision, str], ...] = (
        ("1", "fp32", "2026.11.24-1a2b3c4d"),
        ("2", "int8", "2026.11.24-1a2b3c4d-int8"),
    )
    for number, precision, version in expected:
        digest = sha256(candidate.variants[precision].read_bytes()).hexdigest()
        tags = {
            "sha256": digest,
            "precision": precision,
            "version": version,
            "data": "drawn",
            "commit": "0" * 40,
            **figures,
        }
        assert versions[precision] == Version(number, run.run_id, tags)
        assert registry.version(number) == versions[precision]
    assert str(versions["int8"]) == "version 2 (2026.11.24-1a2b3c4d-int8)"
    assert versions["int8"].precision == "int8"


@pytest.mark.parametrize("served", ["fp32", "int8"])
def test_the_file_to_be_served_is_the_challenger(
    registry: Registry, run: TrackedRun, tmp_path: Path, served: Precision
) -> None:
    versions = registry.register(offer(tmp_path, RIGHT, "new", served), run.run_id)
    assert registry.challenger() == versions[served]
    assert registry.champion() is None


def test_registering_again_leaves_a_later_challenger(registry: Registry, tmp_path: Path) -> None:
    early, late = (offer(tmp_path / name, range(10), name) for name in ("early", "late"))
    early_run = open_run(registry).run_id
    registry.register(early, early_run)
    versions = registry.register(late, open_run(registry).run_id)
    registry.register(early, early_run)
    assert registry.challenger() == versions["int8"]


def test_a_version_knows_the_cut_that_it_learnt_from(registry: Registry, tmp_path: Path) -> None:
    candidate = offer(tmp_path, range(10), "new")
    versions = registry.register(candidate, open_run(registry).run_id, 16)
    assert {version.trial for version in versions.values()} == {16}


def test_a_registry_without_the_model_has_neither(registry: Registry) -> None:
    assert registry.champion() is None
    assert registry.challenger() is None


def test_download_gives_the_very_bytes(registry: Registry, run: TrackedRun, tmp_path: Path) -> None:
    candidate = offer(tmp_path, RIGHT, "new")
    versions = registry.register(candidate, run.run_id)
    for precision, path in candidate.variants.items():
        assert registry.content(versions[precision]) == path.read_bytes()


def test_model_has_the_contracts_signature(
    registry: Registry, run: TrackedRun, tmp_path: Path
) -> None:
    version = registry.register(offer(tmp_path, RIGHT, "new"), run.run_id)["int8"]
    client = registry.tracker.client
    place = client.get_model_version_download_uri(registry.name, version.number)
    path = mlflow.artifacts.download_artifacts(
        f"{place}/MLmodel", dst_path=str(tmp_path), tracking_uri=registry.tracker.uri
    )
    account = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    signature = ModelSignature.from_dict(account["signature"])
    (crops,), (probabilities,) = signature.inputs.inputs, signature.outputs.inputs
    assert (crops.name, crops.type.name, crops.shape) == ("crops", "uint8", (-1, 1, 48, 48))
    assert (probabilities.name, probabilities.type.name, probabilities.shape) == (
        "probabilities", "float32", (-1, 7),
    )  # fmt: skip


def test_a_run_registers_each_precision_once(
    registry: Registry, run: TrackedRun, tmp_path: Path
) -> None:
    candidate = offer(tmp_path, RIGHT, "new")
    first = registry.register(candidate, run.run_id)
    assert registry.register(candidate, run.run_id) == first
    assert numbers(registry) == ["1", "2"]
    assert len(logged_models(registry, run)) == 2


def test_an_upload_that_was_cut_off_is_finished(
    registry: Registry, run: TrackedRun, tmp_path: Path
) -> None:
    candidate = offer(tmp_path, RIGHT, "new")
    client = registry.tracker.client
    digest = sha256(candidate.variants["fp32"].read_bytes()).hexdigest()
    experiment = client.get_run(run.run_id).info.experiment_id
    name = f"{registry.name}-fp32"
    client.create_logged_model(experiment, name, run.run_id, tags={"sha256": digest})

    versions = registry.register(candidate, run.run_id)

    assert logged_models(registry, run) == [name, f"{registry.name}-int8"]
    assert registry.content(versions["fp32"]) == candidate.variants["fp32"].read_bytes()


def test_an_upload_that_no_version_was_made_of_is_used(
    registry: Registry, run: TrackedRun, tmp_path: Path
) -> None:
    candidate = offer(tmp_path, RIGHT, "new")
    name, content = f"{registry.name}-int8", candidate.variants["int8"].read_bytes()
    model = uploaded_model(registry.tracker.client, run.run_id, name, content)

    registry.register(candidate, run.run_id)

    assert len(logged_models(registry, run)) == 2
    assert uploaded_model(registry.tracker.client, run.run_id, name, content) == model


def test_another_file_of_the_same_run_is_refused(
    registry: Registry, run: TrackedRun, tmp_path: Path
) -> None:
    registry.register(offer(tmp_path / "first", RIGHT, "new"), run.run_id)
    other = offer(tmp_path / "second", range(20), "new")
    with pytest.raises(RegistryError, match=r"has registered another int8 file, as version 2"):
        registry.register(other, run.run_id)
    assert numbers(registry) == ["1", "2"]


def test_file_that_changed_in_the_registry_is_refused(
    registry: Registry, run: TrackedRun, tmp_path: Path, mlflow: MlflowServer
) -> None:
    version = registry.register(offer(tmp_path, RIGHT, "new"), run.run_id)["int8"]
    place = registry.tracker.client.get_model_version_download_uri(registry.name, version.number)
    folder = mlflow.folder / "artifacts" / place.partition(":/")[2].lstrip("/")
    (folder / "model.onnx").write_bytes(b"something else")
    with pytest.raises(RegistryError, match=r"the file's SHA-256 is [0-9a-f]{64}, not "):
        registry.content(version)


def test_unknown_version_is_refused_in_one_line(registry: Registry) -> None:
    with pytest.raises(RegistryError, match="has no version 99 in http") as caught:
        registry.version("99")
    assert "\n" not in str(caught.value)


def test_registry_that_is_gone_is_told_in_one_line() -> None:
    registry = Registry(Tracker("http://127.0.0.1:9"))
    with pytest.raises(RegistryError, match="doesn't answer"):
        registry.champion()
