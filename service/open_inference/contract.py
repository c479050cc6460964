"""The model that the protocol shows: photos in, faces out."""

from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from emotion.labels import EMOTIONS

MODEL = "emotion"
_PLATFORM = "rapt"
# Tensors as bytes after the JSON, both ways.
_EXTENSIONS = ["binary_tensor_data"]


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """One tensor of the model.

    Attributes:
        name: of the tensor.
        datatype: of its elements, in the protocol's words.
        shape: of all of it; -1 is any number.
    """

    name: str
    datatype: str
    shape: tuple[int, ...]

    @property
    def facts(self) -> dict[str, Any]:
        """What metadata says of it."""
        return {"name": self.name, "datatype": self.datatype, "shape": list(self.shape)}


# Encoded photos, as many as a batch may have.
IMAGE = TensorSpec("image", "BYTES", (-1,))
# A row a face; the faces of the first photo come first, and in a photo the largest.
BOXES = TensorSpec("boxes", "FP32", (-1, 4))  # x, y, width, height in pixels
SCORES = TensorSpec("scores", "FP32", (-1,))
PROBABILITIES = TensorSpec("probabilities", "FP32", (-1, len(EMOTIONS)))  # in label order
LABELS = TensorSpec("labels", "BYTES", (-1,))  # the most probable emotion
IMAGE_INDEX = TensorSpec("image_index", "INT32", (-1,))  # which of the photos, from 0
OUTPUTS = (BOXES, SCORES, PROBABILITIES, LABELS, IMAGE_INDEX)


def server_facts() -> dict[str, Any]:
    """Return what a server's metadata says."""
    return {"name": "rapt", "version": version("rapt"), "extensions": _EXTENSIONS}


def model_facts(served: str) -> dict[str, Any]:
    """Return what the model's metadata says.

    Args:
        served: the classifier's version, which is the model's.
    """
    return {
        "name": MODEL,
        "versions": [served],
        "platform": _PLATFORM,
        "inputs": [IMAGE.facts],
        "outputs": [spec.facts for spec in OUTPUTS],
    }
