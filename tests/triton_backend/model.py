"""Triton's `onnxruntime` backend in Python, where there is no container that has the real one.

Triton runs this file in the place of a model's code (a "Python-based backend"), in the environment
`.venv-triton`. Requests, batches, warm-up, labels and versions are the real server's.
"""

import json
import os
from pathlib import Path
from typing import Any

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # Read when onnxruntime is imported.

import numpy as np
import onnxruntime
import triton_python_backend_utils as triton


class TritonPythonModel:
    """One instance of a model; the name is Triton's."""

    def initialize(self, args: dict[str, str]) -> None:
        """Open the model that the configuration belongs to."""
        config = json.loads(args["model_config"])
        parameters = {key: value["string_value"] for key, value in config["parameters"].items()}
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = int(parameters["intra_op_thread_count"])
        options.inter_op_num_threads = int(parameters["inter_op_thread_count"])
        path = Path(args["model_repository"]) / args["model_version"] / "model.onnx"
        self._session = onnxruntime.InferenceSession(
            path, options, providers=["CPUExecutionProvider"]
        )
        self._input = config["input"][0]["name"]
        self._outputs = [output["name"] for output in config["output"]]

    def execute(self, requests: list[Any]) -> list[Any]:
        """Answer a batch of requests with one run of the model."""
        inputs = [
            triton.get_input_tensor_by_name(request, self._input).as_numpy() for request in requests
        ]
        results = self._session.run(self._outputs, {self._input: np.concatenate(inputs)})
        ends = np.cumsum([len(rows) for rows in inputs])[:-1]
        parts = zip(*(np.split(result, ends) for result in results), strict=True)
        return [self._response(part) for part in parts]

    def _response(self, part: tuple[Any, ...]) -> Any:  # noqa: ANN401  # Triton's has no types
        pairs = zip(self._outputs, part, strict=True)
        return triton.InferenceResponse([triton.Tensor(name, values) for name, values in pairs])
