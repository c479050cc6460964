from pathlib import Path

import onnx
import pytest

from emotion.contract import CLASSIFIER_NAME, ROLLED_BACK_TAG, TRIAL_TAG
from service.models import pull as pull_module
from service.models.installed import InstalledModels, registry_version_in
from service.models.onnx import load_classifier
from service.models.pull import ChampionUnplaced, pull
from service.models.registry import (
    Champion,
    ChampionRefused,
    ModelRegistry,
    RegistryMisconfigured,
    RegistryUnreachable,
)
from service.models.repository import versions_of
from tests.service.registry_models import TestRegistry
from tests.service.tiny_models import TinyRepository, classifier, detector


@pytest.fixture
def models(tiny: TinyRepository, tmp_path: Path) -> InstalledModels:
    """Nothing is installed yet."""
    return InstalledModels(tmp_path / "home" / "models", built_in=tiny.write())


def content_of(version: str) -> bytes:
    content: bytes = classifier(version).SerializeToString()
    return content


def served(models: InstalledModels) -> str:
    return load_classifier(models.folder, max_batch=1).version.version


def test_the_champion_is_pulled(registry: TestRegistry, models: InstalledModels) -> None:
    number = registry.register_champion(content_of("new"))
    pulled = pull(registry.url, models)
    assert (pulled.outcome, pulled.registry_version, pulled.number) == ("pulled", number, 1)
    assert pulled.detail == (
        f"Pulled emotion_classifier new, version {number} of the registry, "
        f"to {models.folder}/emotion_classifier/1."
    )
    assert served(models) == "new"
    assert registry_version_in(models.folder / CLASSIFIER_NAME / "1") == number


def test_what_is_there_is_not_fetched_again(
    registry: TestRegistry, models: InstalledModels, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry.register_champion(content_of("new"))
    pull(registry.url, models)
    again = registry.register_champion(content_of("new"))
    monkeypatch.setattr(ModelRegistry, "fetch", lambda *_: pytest.fail("it was fetched"))
    pulled = pull(registry.url, models)
    assert (pulled.outcome, pulled.registry_version, pulled.number) == ("unchanged", again, 1)
    assert registry_version_in(models.folder / CLASSIFIER_NAME / "1") == again


def test_a_rollback_is_pulled_like_a_new_version(
    registry: TestRegistry, models: InstalledModels
) -> None:
    former = registry.register_champion(content_of("former"))
    pull(registry.url, models)
    registry.register_champion(content_of("new"))
    pull(registry.url, models)
    registry.make_champion(former)
    assert pull(registry.url, models).number == 3
    assert served(models) == "former"
    assert versions_of(models.folder / CLASSIFIER_NAME) == [2, 3]


def test_after_a_rollback_the_withdrawn_version_is_deleted_and_the_former_one_kept(
    registry: TestRegistry, models: InstalledModels
) -> None:
    former = registry.register_champion(content_of("former"))
    pull(registry.url, models)
    withdrawn = registry.register_champion(content_of("new"))
    pull(registry.url, models)
    registry.tag(withdrawn, ROLLED_BACK_TAG, "calls every beard angry")
    registry.make_champion(former)
    assert pull(registry.url, models).number == 3
    assert versions_of(models.folder / CLASSIFIER_NAME) == [1, 3]
    assert load_classifier(models.folder, 1).version.version == "former"
    assert served(models) == "former"


def test_an_installed_file_that_was_damaged_is_pulled_anew(
    registry: TestRegistry, models: InstalledModels
) -> None:
    registry.register_champion(content_of("new"))
    pull(registry.url, models)
    (models.folder / CLASSIFIER_NAME / "1" / "model.onnx").write_bytes(b"damaged")
    assert pull(registry.url, models).outcome == "pulled"
    assert served(models) == "new"


def test_an_installed_champion_that_breaks_the_contract_is_not_taken_for_there(
    registry: TestRegistry, models: InstalledModels
) -> None:
    bad: bytes = classifier(classes=8).SerializeToString()
    number = registry.register_champion(bad)
    with models.locked():
        models.place(bad, "tiny", number)
    with pytest.raises(ChampionRefused, match="answers with shape"):
        pull(registry.url, models)


def test_a_file_with_another_checksum_is_refused(
    registry: TestRegistry, models: InstalledModels
) -> None:
    number = registry.register_champion(content_of("new"), digest="0" * 64)
    expected = rf"Version {number} of .* SHA-256 is [0-9a-f]{{12}}\.\.\., not 000000000000\.\.\."
    with pytest.raises(ChampionRefused, match=expected) as refusal:
        pull(registry.url, models)
    assert refusal.value.version == number
    assert models.newest() is None


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (classifier(version=None), "its metadata has no 'version'"),
        (classifier(labels=("happy",)), "the labels in its metadata"),
        (classifier(classes=8), r"answers with shape \(2, 8\)"),
        (classifier(batch=1), "fails its warm-up"),
        (detector(), "takes"),
    ],
)
def test_a_file_without_the_contract_is_refused(
    model: onnx.ModelProto, reason: str, registry: TestRegistry, models: InstalledModels
) -> None:
    registry.register_champion(content_of("good"))
    pull(registry.url, models)
    number = registry.register_champion(model.SerializeToString())
    expected = rf"Version {number} .* refused: .*{reason}"
    with pytest.raises(ChampionRefused, match=expected) as refusal:
        pull(registry.url, models)
    assert refusal.value.version == number
    assert served(models) == "good"
    names = {path.name for path in (models.folder / CLASSIFIER_NAME).iterdir()}
    assert names == {"1", "config.pbtxt", "labels.txt"}


def test_a_trial_that_is_champion_changes_nothing(
    registry: TestRegistry, models: InstalledModels
) -> None:
    registry.register_champion(content_of("good"))
    pull(registry.url, models)
    registry.tag(registry.register_champion(content_of("trial")), TRIAL_TAG, "700")
    with pytest.raises(ChampionRefused, match="is a trial"):
        pull(registry.url, models)
    assert served(models) == "good"


def test_a_registry_that_is_down_leaves_everything_as_it_is(
    models: InstalledModels, free_port: int
) -> None:
    with pytest.raises(RegistryUnreachable):
        pull(f"http://127.0.0.1:{free_port}", models)
    assert not models.folder.exists()


def test_without_a_registry_it_says_how_to_set_one(models: InstalledModels) -> None:
    with pytest.raises(RegistryMisconfigured, match="Set MLFLOW_TRACKING_URI, as in http://"):
        pull(None, models)


def test_a_home_that_can_not_be_written_to_is_told(
    registry: TestRegistry, tiny: TinyRepository
) -> None:
    registry.register_champion(content_of("new"))
    models = InstalledModels(Path("/proc/nowhere"), built_in=tiny.write())
    with pytest.raises(ChampionUnplaced, match=r"/proc/nowhere.* can't be written: "):
        pull(registry.url, models)


def test_two_pulls_at_once_place_one_version(
    registry: TestRegistry, models: InstalledModels, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = content_of("new")
    registry.register_champion(content)
    lookup = ModelRegistry.champion

    def overtaken(self: ModelRegistry) -> Champion:
        """Another pull comes and goes between the question and the lock."""
        monkeypatch.setattr(ModelRegistry, "champion", lookup)
        pull_module.pull(registry.url, models)
        return lookup(self)

    monkeypatch.setattr(ModelRegistry, "champion", overtaken)
    assert pull(registry.url, models).outcome == "unchanged"
    assert versions_of(models.folder / CLASSIFIER_NAME) == [1]
