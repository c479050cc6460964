"""The messages as JSON Schema: ``python -m service.kafka.schemas`` writes docs/kafka anew."""

import json
from collections.abc import Mapping
from pathlib import Path

from service.kafka.messages import COMPLETED, FAILED, REQUESTED, JobEnded, JobRequested

_FOLDER = Path(__file__).resolve().parents[2] / "docs" / "kafka"
_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema_files() -> Mapping[str, str]:
    """Return the text of each file by its name."""
    models = {
        REQUESTED: JobRequested.model_json_schema(),
        COMPLETED: JobEnded.model_json_schema(mode="serialization"),
        FAILED: JobEnded.model_json_schema(mode="serialization"),
    }
    return {
        f"{topic}.schema.json": json.dumps({"$schema": _DIALECT, **model, "title": topic}, indent=2)
        + "\n"
        for topic, model in models.items()
    }


if __name__ == "__main__":
    for name, text in schema_files().items():
        (_FOLDER / name).write_text(text, encoding="utf-8")
