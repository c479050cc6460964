from collections.abc import Iterator
from dataclasses import dataclass, field
from shutil import rmtree

import pytest

from emotion.contract import CLASSIFIER_NAME, DETECTOR_NAME
from emotion.model_config import names_in, with_names
from tests.service.tiny_models import TinyRepository, classifier
from tests.triton_server import TritonServer, triton_server
from training.export.triton_config import DETECTOR_CONFIG, classifier_config

CONFIG = f"{CLASSIFIER_NAME}/config.pbtxt"


@dataclass
class ChangingTriton:
    """A Triton server with a tiny classifier, which a test may change while it is served.

    Attributes:
        server: the server.
        repository: its models; changed in memory, until they are served.
        served: what it has loaded.
    """

    server: TritonServer
    repository: TinyRepository
    served: dict[str, bytes] = field(default_factory=dict)

    def replace(self, file: str, old: str, new: str) -> None:
        """Change one of the classifier's files."""
        self.repository.replace(f"{CLASSIFIER_NAME}/{file}", old, new)
        self.serve()

    def add_version(self, number: int, name: str, *, named: bool = True) -> None:
        """Have a newer version, which takes the place of the one that is served."""
        self.repository.set_model(CLASSIFIER_NAME, classifier(name), number)
        if named:
            config = self.repository.files[CONFIG].decode()
            named_so_far = names_in(config)
            self.repository.files[CONFIG] = with_names(
                config, {**named_so_far, number: name}
            ).encode()
        self.serve()

    def serve(self) -> None:
        """Have Triton take up what the repository holds now; that takes it a second or two."""
        if self.repository.files == self.served:
            return
        self.served = dict(self.repository.files)
        rmtree(self.repository.folder / CLASSIFIER_NAME, ignore_errors=True)
        self.repository.write()
        self.server.load(CLASSIFIER_NAME)


@pytest.fixture(scope="module")
def changing_server(
    triton_environment: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ChangingTriton]:
    repository = TinyRepository(tmp_path_factory.mktemp("repository"))
    repository.files[CONFIG] = classifier_config("tiny").encode()
    repository.files[f"{DETECTOR_NAME}/config.pbtxt"] = DETECTOR_CONFIG.encode()
    with triton_server(repository.write(), tmp_path_factory.mktemp("triton")) as server:
        yield ChangingTriton(server, repository, dict(repository.files))


@pytest.fixture
def changing(changing_server: ChangingTriton) -> Iterator[ChangingTriton]:
    """Its one version is called tiny, once it is served."""
    before = dict(changing_server.repository.files)
    yield changing_server
    changing_server.repository.files = before
