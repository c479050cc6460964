"""``python -m benchmarks.precision``: what int8 gains in speed and costs in accuracy.

Both forms of one network run in turns on one thread, so that what else the machine does hits
both. Only int8 is committed: without --fp32, its fp32 form is made from it by taking the
rounding out, which gives the same network with weights that were rounded once. That is right
for speed; the accuracy of fp32 needs the original file (a run's candidate/fp32.onnx).
"""

import statistics
import time
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
import numpy.typing as npt
import onnx
from onnx import numpy_helper
from tqdm import tqdm

from emotion.contract import CLASSIFIER_NAME
from training.data.dataset import Split, as_served
from training.data.fer2013 import load_fer2013
from training.export.onnx_classifier import OnnxClassifier, open_classifier

_BATCHES = (1, 8, 32)
_ROUNDS = 15
_IMAGES_A_ROUND = 32
_ROUNDING = {"QuantizeLinear", "DequantizeLinear"}
_DATA = Path("../shared/data/fer2013")
_MODEL = Path("model_repository") / CLASSIFIER_NAME / "1" / "model.onnx"


@dataclass(frozen=True, slots=True)
class Speed:
    """Images per second of CPU time at one batch size, medians over the rounds."""

    batch: int
    fp32: float
    int8: float

    @property
    def ratio(self) -> float:
        """How many times as fast int8 is."""
        return self.int8 / self.fp32


def without_rounding(model: bytes) -> bytes:
    """Return the fp32 form of an int8 file: no QuantizeLinear, no DequantizeLinear, float weights.

    Raises:
        ValueError: the file is not int8.
    """
    proto = onnx.load_from_string(model)
    graph = proto.graph
    values = {one.name: numpy_helper.to_array(one) for one in graph.initializer}
    rounded = [node for node in graph.node if node.op_type == "QuantizeLinear"]
    restored = [node for node in graph.node if node.op_type == "DequantizeLinear"]
    if not restored:
        raise ValueError("the model has no DequantizeLinear: it is not int8")
    # What a name of the int8 graph is called once the rounding is gone.
    names: dict[str, str] = {}
    for node in rounded:
        if values[node.input[2]].any():
            names[node.output[0]] = node.input[0]
        else:
            # Unsigned, and zero is zero: the rounding is the ReLU as well.
            node.op_type = "Relu"
            del node.input[1:], node.attribute[:]
    for node in restored:
        if node.input[0] in values:
            axis = next((one.i for one in node.attribute if one.name == "axis"), 1)
            weights = _dequantised(*(values[name] for name in node.input), axis=axis)
            graph.initializer.append(numpy_helper.from_array(weights, node.output[0]))
        else:
            names[node.output[0]] = node.input[0]
    for node in [one for one in graph.node if one.op_type in _ROUNDING]:
        graph.node.remove(node)
    for node in graph.node:
        for position, name in enumerate(node.input):
            node.input[position] = _follow(name, names)
    used = {name for node in graph.node for name in node.input}
    for value in [one for one in graph.initializer if one.name not in used]:
        graph.initializer.remove(value)
    onnx.checker.check_model(proto, full_check=True)
    return proto.SerializeToString()


def measure_speed(fp32: OnnxClassifier, int8: OnnxClassifier, batch: int) -> Speed:
    """Time both on black faces, in turns."""
    crops = np.zeros((batch, 1, 48, 48), dtype=np.uint8)
    seconds: dict[OnnxClassifier, list[float]] = {fp32: [], int8: []}
    for _ in tqdm(range(_ROUNDS), desc=f"batch {batch}", unit="round"):
        for classifier, times in seconds.items():
            times.append(_seconds(classifier, crops))
    images = batch * max(1, _IMAGES_A_ROUND // batch)
    return Speed(batch, *(images / statistics.median(times) for times in seconds.values()))


def accuracy(classifier: OnnxClassifier, split: Split) -> float:
    """Return the share of right answers on faces as served, as a fraction."""
    answers = classifier.answer_all(as_served(split)).argmax(axis=1)
    return float(np.mean(answers == split.labels))


def _seconds(classifier: OnnxClassifier, crops: npt.NDArray[np.uint8]) -> float:
    began = time.thread_time()
    for _ in range(max(1, _IMAGES_A_ROUND // len(crops))):
        classifier.answer(crops)
    return time.thread_time() - began


def _dequantised(
    rounded: npt.NDArray[np.int8],
    scale: npt.NDArray[np.float32],
    zero: npt.NDArray[np.int8] | int = 0,
    *,
    axis: int,
) -> npt.NDArray[np.float32]:
    """Return the floats that rounded weights stand for; a scale a channel lies along ``axis``."""
    shape = [1] * rounded.ndim
    if scale.ndim:
        shape[axis] = -1
    steps = rounded.astype(np.float32) - np.reshape(np.asarray(zero, dtype=np.float32), shape)
    floats: npt.NDArray[np.float32] = (steps * np.reshape(scale, shape)).astype(np.float32)
    return floats


def _follow(name: str, names: dict[str, str]) -> str:
    while name in names:
        name = names[name]
    return name


@click.command()
@click.option(
    "--int8",
    "int8_path",
    type=click.Path(path_type=Path),
    default=_MODEL,
    show_default=True,
    help="The int8 classifier.",
)
@click.option(
    "--fp32",
    "fp32_path",
    type=click.Path(path_type=Path),
    help="The fp32 classifier it was made from.  [default: made from the int8 file]",
)
@click.option("--data", type=click.Path(path_type=Path), default=_DATA, show_default=True)
@click.option(
    "--split",
    type=click.Choice(["val", "test"]),
    default="val",
    show_default=True,
    help="test is PrivateTest: log each look at it in docs/decisions.md.",
)
def main(int8_path: Path, fp32_path: Path | None, data: Path, split: str) -> None:
    """Print speed on one thread and accuracy of both forms of the classifier.

    Accuracy is that on faces as the service frames them, where --data was prepared (`python -m
    training prepare`), and as they were published otherwise.
    """
    int8 = open_classifier(int8_path, threads=1)
    if fp32_path is None:
        fp32 = OnnxClassifier(without_rounding(int8_path.read_bytes()), threads=1)
        origin = "int8 without its rounding"
    else:
        fp32 = open_classifier(fp32_path, threads=1)
        origin = str(fp32_path)
    click.echo(f"int8 {int8.version}; fp32 {fp32.version} ({origin}); one thread")
    click.echo(f"{'batch':>5}{'fp32 images/s':>15}{'int8 images/s':>15}{'ratio':>7}")
    for batch in _BATCHES:
        speed = measure_speed(fp32, int8, batch)
        click.echo(f"{batch:>5}{speed.fp32:>15.0f}{speed.int8:>15.0f}{speed.ratio:>7.2f}")
    fer2013 = load_fer2013(data)
    scored = fer2013.test if split == "test" else fer2013.val
    exact, rounded = accuracy(fp32, scored), accuracy(int8, scored)
    difference = 100 * (rounded - exact)
    click.echo(
        f"accuracy on {split}: fp32 {exact:.2%}, int8 {rounded:.2%}, {difference:+.2f} points"
    )


if __name__ == "__main__":
    main()
