"""What each stage of a photo costs alone, and all of them together without a server."""

import statistics
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
from onnx import TensorProto, helper
from tqdm import tqdm

from benchmarks.samples import one_face
from emotion.detection import DetectionSettings, detect
from emotion.image import ImageLimits, decode_reduced
from emotion.sighting import sight, sighting_from, view_of
from service.models.onnx import load_classifier
from service.models.openvino import OpenVinoFaceNetwork

_ROUNDS = 60
_BATCH = 32
# Of the committed network, a face: training/fitting/network.py.
_MULTIPLY_ADDS = 312e6
_MATRIX = 1024
_LIMITS, _SETTINGS = ImageLimits(), DetectionSettings()


def measure_stages(repository: Path) -> dict[str, float]:
    """Return CPU milliseconds a 640x480 photo with one face, medians, on one thread.

    Keys are stages, "bare pipeline" for all of them, "12 megapixels" for all of them on a photo
    of 4000x3000; "detect" is scaling, network and boxes.
    """
    cv2.setNumThreads(1)
    photo, large = one_face(640, 480), one_face(4000, 3000)
    network = OpenVinoFaceNetwork(repository)
    classifier = load_classifier(repository, max_batch=_BATCH)
    image = decode_reduced(photo, _LIMITS, _SETTINGS.side).pixels
    view = view_of(photo, _SETTINGS, _LIMITS)
    tensors = network(view.seen[np.newaxis])
    crops = sighting_from(tensors, view, _SETTINGS).crops

    def whole(data: bytes) -> None:
        classifier.classify(sight(data, network, _SETTINGS, _LIMITS).crops)

    stages: dict[str, Callable[[], object]] = {
        "decode": lambda: decode_reduced(photo, _LIMITS, _SETTINGS.side),
        "detect": lambda: detect(image, network, _SETTINGS),
        "align": lambda: sighting_from(tensors, view, _SETTINGS),
        "classify": lambda: classifier.classify(crops),
        "bare pipeline": lambda: whole(photo),
        "12 megapixels": lambda: whole(large),
    }
    return {name: _milliseconds(name, run) for name, run in stages.items()}


def classifier_against_its_limit(repository: Path) -> tuple[float, float]:
    """Return faces per CPU second at batch 32, and as many as multiplying matrices allows.

    The limit is what ONNX Runtime's own product of two int8 matrices (U8 by S8, 1024 x 1024)
    does in multiply-adds a second, over those of the network for a face.
    """
    classifier = load_classifier(repository, max_batch=_BATCH)
    crops = np.zeros((_BATCH, 1, 48, 48), dtype=np.uint8)
    faces = 1000 * _BATCH / _milliseconds("batch of 32", lambda: classifier.classify(crops))
    product = _matrix_product()
    left = np.ones((_MATRIX, _MATRIX), dtype=np.uint8)
    milliseconds = _milliseconds("matrices", lambda: product.run(None, {"left": left}))
    return faces, 1000 * _MATRIX**3 / milliseconds / _MULTIPLY_ADDS


def _matrix_product() -> onnxruntime.InferenceSession:
    right = helper.make_tensor(
        "right", TensorProto.INT8, [_MATRIX, _MATRIX], bytes(_MATRIX * _MATRIX), raw=True
    )
    shape = [_MATRIX, _MATRIX]
    graph = helper.make_graph(
        [helper.make_node("MatMulInteger", ["left", "right"], ["product"])],
        "product",
        [helper.make_tensor_value_info("left", TensorProto.UINT8, shape)],
        [helper.make_tensor_value_info("product", TensorProto.INT32, shape)],
        [right],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def _milliseconds(name: str, run: Callable[[], object]) -> float:
    """Return the median CPU time of a call, of all threads of this process, in milliseconds."""
    run()
    times: list[float] = []
    for _ in tqdm(range(_ROUNDS), desc=name, unit="round", leave=False):
        began = time.process_time()
        run()
        times.append(time.process_time() - began)
    return 1000 * statistics.median(times)
