"""What makes the model: from FER2013 to the file that is served.

    data set -> augment -> network -> fit -> evaluate -> export to model_repository/

Values cross from here to the service as files only: the ONNX model, its labels, its
configuration.
"""

import os

# ONNX Runtime and MLflow report their use to their makers unless told otherwise before they are
# imported.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
# MLflow reads its other settings from the environment too. Its own defaults try a server that
# is gone for four minutes.
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "10")
# Results alone go to stdout.
os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
