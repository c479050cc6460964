"""Finds a model in the model repository, and checks that it is what the code was built for.

Triton reads the same folder: the files that steer it (``config.pbtxt``) steer the in-process
runtime as well.
"""

from dataclasses import dataclass
from pathlib import Path

from google.protobuf import text_format
from tritonclient.grpc.model_config_pb2 import ModelConfig

from emotion.checksums import digest_of, read_checksums
from emotion.errors import ContractMismatch
from emotion.labels import EMOTIONS


@dataclass(frozen=True, slots=True)
class RepositoryModel:
    """A model as it lies in the repository, verified.

    Attributes:
        name: of the model.
        content: the ONNX file's bytes, equal to the recorded checksum.
        max_batch_size: most rows at once; 0 where the model doesn't batch.
        intra_op_threads: threads inside one operator.
        inter_op_threads: operators at once.
    """

    name: str
    content: bytes
    max_batch_size: int
    intra_op_threads: int
    inter_op_threads: int


def read_model(repository: Path, name: str) -> RepositoryModel:
    """Read a model's newest version and its configuration.

    Raises:
        ContractMismatch: it is missing, its checksum differs, or its configuration is not
            one this service can honour.
    """
    folder = repository / name
    config = _read_config(folder / "config.pbtxt")
    if config.name != name or config.backend != "onnxruntime":
        raise ContractMismatch(
            f"{folder / 'config.pbtxt'}: names model {config.name!r} for backend "
            f"{config.backend!r}, not {name!r} for 'onnxruntime'."
        )
    version = _newest_version(folder)
    return RepositoryModel(
        name=name,
        content=_read_verified(repository, f"{name}/{version}/model.onnx"),
        max_batch_size=config.max_batch_size,
        intra_op_threads=_thread_count(config, "intra_op_thread_count"),
        inter_op_threads=_thread_count(config, "inter_op_thread_count"),
    )


def check_labels(repository: Path, name: str) -> None:
    """Compare the model's ``labels.txt`` with the label order of the code.

    Raises:
        ContractMismatch: they differ: every answer would be confidently wrong.
    """
    path = repository / name / "labels.txt"
    try:
        labels = path.read_text(encoding="utf-8").split()
    except OSError as error:
        raise ContractMismatch(f"{path}: {error.strerror}.") from error
    if labels != [emotion.value for emotion in EMOTIONS]:
        raise ContractMismatch(f"{path}: the labels {labels} are not this project's, in its order.")


def _read_config(path: Path) -> ModelConfig:
    try:
        return text_format.Parse(path.read_text(encoding="utf-8"), ModelConfig())
    except OSError as error:
        raise ContractMismatch(f"{path}: {error.strerror}.") from error
    except text_format.ParseError as error:
        raise ContractMismatch(f"{path}: {error}.") from error


def _newest_version(folder: Path) -> int:
    versions = [int(entry.name) for entry in folder.iterdir() if entry.name.isdecimal()]
    if not versions:
        raise ContractMismatch(f"{folder}: holds no version; expected a folder named 1.")
    return max(versions)


def _read_verified(repository: Path, place: str) -> bytes:
    readme = repository / "README.md"
    try:
        content = (repository / place).read_bytes()
        expected = read_checksums(readme.read_text(encoding="utf-8")).get(place)
    except OSError as error:
        raise ContractMismatch(f"{error.filename}: {error.strerror}.") from error
    if expected != digest_of(content):
        raise ContractMismatch(
            f"{repository / place}: its SHA-256 is not the one listed in {readme}. "
            "Take the file anew, or run `python -m training export` to write both."
        )
    return content


def _thread_count(config: ModelConfig, key: str) -> int:
    value = config.parameters[key].string_value if key in config.parameters else "1"
    if not value.isdecimal() or int(value) < 1:
        raise ContractMismatch(f"{config.name}: {key} is {value!r}, not a number of threads.")
    return int(value)
