"""What makes the model: from FER2013 to the file that is served.

    data set -> augment -> network -> fit -> evaluate -> export to model_repository/

Values cross from here to the service as files only: the ONNX model, its labels, its
configuration.
"""

import os

# ONNX Runtime reports its use to its maker unless told otherwise before it is imported.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
