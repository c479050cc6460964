"""Classifiers in a real registry, made champion by hand."""

from pathlib import Path
from tempfile import TemporaryDirectory

from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from emotion.checksums import digest_of
from emotion.contract import CHAMPION, CLASSIFIER_NAME, DIGEST_TAG, MODEL_FILE

_EXPERIMENT = "models for tests of the service"


class TestRegistry:
    """What training does to a registry, without a training."""

    __test__ = False

    def __init__(self, url: str) -> None:
        self.url = url
        self._client = MlflowClient(url, url)

    def register(self, content: bytes, *, digest: str | None = None, file: str = MODEL_FILE) -> str:
        """Register a file; its number in the registry. A digest may be told that it hasn't."""
        run = self._client.create_run(self._experiment())
        with TemporaryDirectory() as folder:
            path = Path(folder) / file
            path.write_bytes(content)
            self._client.log_artifact(run.info.run_id, str(path), "model")
        source = f"{run.info.artifact_uri}/model"
        self._make_model()
        version = self._client.create_model_version(CLASSIFIER_NAME, source, run.info.run_id)
        number = str(version.version)
        digest = digest_of(content) if digest is None else digest
        self.tag(number, DIGEST_TAG, digest)
        return number

    def tag(self, number: str, key: str, value: str) -> None:
        self._client.set_model_version_tag(CLASSIFIER_NAME, number, key, value)

    def make_champion(self, number: str) -> None:
        self._client.set_registered_model_alias(CLASSIFIER_NAME, CHAMPION, number)

    def register_champion(self, content: bytes, *, digest: str | None = None) -> str:
        number = self.register(content, digest=digest)
        self.make_champion(number)
        return number

    def have_no_champion(self) -> None:
        self._make_model()
        self._client.delete_registered_model_alias(CLASSIFIER_NAME, CHAMPION)

    def _experiment(self) -> str:
        if found := self._client.get_experiment_by_name(_EXPERIMENT):
            return str(found.experiment_id)
        return str(self._client.create_experiment(_EXPERIMENT))

    def _make_model(self) -> None:
        try:
            self._client.get_registered_model(CLASSIFIER_NAME)
        except MlflowException:
            self._client.create_registered_model(CLASSIFIER_NAME)
