"""No library underneath reports anything to anybody: people trust this service with faces.

ONNX Runtime, BentoML and MLflow send usage statistics to their makers unless told otherwise, by an
environment variable that is read once and early. It is set here for this process and for those
it starts, as soon as the package ``service`` is imported.
"""

import os
import sys

_ANALYTICS = "bentoml._internal.utils.analytics.usage_stats"


def forbid_telemetry() -> None:
    """Forbid it. To be called before ONNX Runtime is imported, which reports its own start."""
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    os.environ["BENTOML_DO_NOT_TRACK"] = "True"
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    if analytics := sys.modules.get(_ANALYTICS):
        # `bentoml serve` asked before it loaded us, and remembers the answer.
        analytics.do_not_track.cache_clear()
