"""Finds a model in a model repository, and checks that it is what the code was built for.

Triton reads the same folder: the files that steer it (``config.pbtxt``) steer the in-process
runtime as well.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from google.protobuf import text_format
from tritonclient.grpc.model_config_pb2 import ModelConfig

from emotion.checksums import digest_of, read_checksums
from emotion.contract import CLASSIFIER_NAME, MODEL_FILE
from emotion.errors import ContractMismatch
from emotion.labels import EMOTIONS

CONFIG_FILE = "config.pbtxt"
LABELS_FILE = "labels.txt"
CHECKSUM_FILE = "README.md"

_VERSION = re.compile(r"[1-9][0-9]*")  # Triton passes over all other folders as well.


@dataclass(frozen=True, slots=True)
class RepositoryModel:
    """A model as it lies in the repository, verified.

    Attributes:
        name: of the model.
        number: of the version's folder; 0 where it lies in none.
        digest: the SHA-256 of the ONNX file, in hex.
        content: the ONNX file's bytes, equal to the recorded checksum.
        max_batch_size: most rows at once; 0 where the model doesn't batch.
        intra_op_threads: threads inside one operator.
        inter_op_threads: operators at once.
    """

    name: str
    number: int
    digest: str
    content: bytes
    max_batch_size: int
    intra_op_threads: int
    inter_op_threads: int


def versions_of(folder: Path) -> list[int]:
    """Return the numbers of a model's versions, oldest first; none where there is no folder."""
    try:
        names = [entry.name for entry in folder.iterdir()]
    except (FileNotFoundError, NotADirectoryError):
        return []
    return sorted(int(name) for name in names if _VERSION.fullmatch(name))


def read_model(repository: Path, name: str, number: int | None = None) -> RepositoryModel:
    """Read a model and its configuration.

    Args:
        repository: where it lies.
        name: of the model.
        number: of a version; None is the newest.

    Raises:
        ContractMismatch: it is missing, its checksum differs, or its configuration is not
            one this service can honour.
    """
    config = read_config(repository, name)
    number = number or _newest_version(repository / name)
    return _joined(config, number, _read_verified(repository, f"{name}/{number}/{MODEL_FILE}"))


def read_classifier(repository: Path, number: int | None = None) -> RepositoryModel:
    """Read a classifier whose labels are this project's; see ``read_model``.

    Raises:
        ContractMismatch: they are not, or see ``read_model``.
    """
    check_labels(repository, CLASSIFIER_NAME)
    return read_model(repository, CLASSIFIER_NAME, number)


def configured_as(repository: Path, name: str, content: bytes) -> RepositoryModel:
    """Return a file that lies nowhere yet, with the configuration that a repository has for it.

    Raises:
        ContractMismatch: see ``read_model``.
    """
    return _joined(read_config(repository, name), 0, content)


def _joined(config: ModelConfig, number: int, content: bytes) -> RepositoryModel:
    return RepositoryModel(
        name=config.name,
        number=number,
        digest=digest_of(content),
        content=content,
        max_batch_size=config.max_batch_size,
        intra_op_threads=_thread_count(config, "intra_op_thread_count"),
        inter_op_threads=_thread_count(config, "inter_op_thread_count"),
    )


def check_labels(repository: Path, name: str) -> None:
    """Compare the model's ``labels.txt`` with the label order of the code.

    Raises:
        ContractMismatch: they differ: every answer would be confidently wrong.
    """
    path = repository / name / LABELS_FILE
    try:
        labels = _text_of(path).split()
    except OSError as error:
        raise ContractMismatch(f"{path}: {error.strerror}.") from error
    if labels != [emotion.value for emotion in EMOTIONS]:
        raise ContractMismatch(f"{path}: the labels {labels} are not this project's, in its order.")


def read_config(repository: Path, name: str) -> ModelConfig:
    """Read a model's ``config.pbtxt``.

    Raises:
        ContractMismatch: it is missing, or not for the runtime this service is built for.
    """
    path = repository / name / CONFIG_FILE
    try:
        config = text_format.Parse(_text_of(path), ModelConfig())
    except OSError as error:
        raise ContractMismatch(f"{path}: {error.strerror}.") from error
    except text_format.ParseError as error:
        raise ContractMismatch(f"{path}: {error}.") from error
    if config.name != name or config.backend != "onnxruntime":
        raise ContractMismatch(
            f"{path}: names model {config.name!r} for backend {config.backend!r}, "
            f"not {name!r} for 'onnxruntime'."
        )
    return config


def _text_of(path: Path) -> str:
    """Read a file that may be damaged: bytes that are no UTF-8 are no reason to fail here."""
    return path.read_text(encoding="utf-8", errors="replace")


def _newest_version(folder: Path) -> int:
    versions = versions_of(folder)
    if not versions:
        raise ContractMismatch(f"{folder}: holds no version; expected a folder named 1.")
    return versions[-1]


def _read_verified(repository: Path, place: str) -> bytes:
    readme = repository / CHECKSUM_FILE
    try:
        content = (repository / place).read_bytes()
        expected = read_checksums(_text_of(readme)).get(place)
    except OSError as error:
        raise ContractMismatch(f"{error.filename}: {error.strerror}.") from error
    if digest_of(content) != expected:
        raise ContractMismatch(
            f"{repository / place}: its SHA-256 is not the one listed in {readme}. "
            "Take the file anew, by `rapt models pull` or `python -m training export`."
        )
    return content


def _thread_count(config: ModelConfig, key: str) -> int:
    value = config.parameters[key].string_value if key in config.parameters else "1"
    if not value.isdecimal() or int(value) < 1:
        raise ContractMismatch(f"{config.name}: {key} is {value!r}, not a number of threads.")
    return int(value)
