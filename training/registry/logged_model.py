"""A classifier's file as what MLflow calls a logged model: uploaded once, whatever happens."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from mlflow import MlflowClient
from mlflow.entities import LoggedModelOutput, LoggedModelStatus
from mlflow.models import Model, ModelSignature
from mlflow.onnx import save_model
from mlflow.types import Schema, TensorSpec

from emotion.checksums import digest_of
from emotion.contract import CLASSIFIER_INPUT, CLASSIFIER_OUTPUT, DIGEST_TAG, MODEL_FILE
from emotion.labels import EMOTIONS
from emotion.preprocessing import CROP_SIDE

SIGNATURE = ModelSignature(
    Schema([TensorSpec(np.dtype(np.uint8), (-1, 1, CROP_SIDE, CROP_SIDE), CLASSIFIER_INPUT)]),
    Schema([TensorSpec(np.dtype(np.float32), (-1, len(EMOTIONS)), CLASSIFIER_OUTPUT)]),
)


@dataclass(frozen=True, slots=True)
class Uploaded:
    """A logged model that is complete.

    Attributes:
        model_id: MLflow's.
        place: where its files lie, as MLflow knows it. A version is made of this and not of
            ``models:/ID``, which a database store looks up in MLflow's global default store.
    """

    model_id: str
    place: str


def uploaded_model(client: MlflowClient, run_id: str, name: str, content: bytes) -> Uploaded:
    """Return a run's logged model of a file; upload it if it isn't there complete.

    Args:
        client: of the MLflow to upload to.
        run_id: the run it belongs to.
        name: the logged model's.
        content: of the ONNX file; what is kept as ``model.onnx`` has exactly these bytes.

    Raises:
        mlflow.exceptions.MlflowException: MLflow doesn't answer, or doesn't know the run.
    """
    digest = digest_of(content)
    experiment = client.get_run(run_id).info.experiment_id
    wanted = f"source_run_id = '{run_id}' and name = '{name}' and tags.{DIGEST_TAG} = '{digest}'"
    found = client.search_logged_models([experiment], wanted)
    if found:
        model = found[0]
    else:
        model = client.create_logged_model(experiment, name, run_id, tags={DIGEST_TAG: digest})
    # What a killed process left is pending, and is uploaded again.
    if model.status != LoggedModelStatus.READY:
        with tempfile.TemporaryDirectory() as draft:
            folder = Path(draft) / "model"
            account = Model(model.artifact_location, run_id, model_id=model.model_id)
            _save(content, folder, account)
            client.log_model_artifacts(model.model_id, str(folder))
        client.log_outputs(run_id, [LoggedModelOutput(model.model_id, step=0)])
        client.finalize_logged_model(model.model_id, LoggedModelStatus.READY)
    return Uploaded(str(model.model_id), str(model.artifact_location))


def _save(content: bytes, folder: Path, account: Model) -> None:
    save_model(
        onnx.load_from_string(content),
        str(folder),
        mlflow_model=account,
        signature=SIGNATURE,
        # Given, or it would open the model in another process to find out.
        pip_requirements=["numpy", "onnx", "onnxruntime"],
        onnx_execution_providers=["CPUExecutionProvider"],
        save_as_external_data=False,
    )
    (folder / MODEL_FILE).write_bytes(content)
