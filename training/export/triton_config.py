"""The models' ``config.pbtxt``: how Triton and the in-process runtime serve them.

Written out although the backend could derive most of it: the file is a contract. Dims leave
the batch out.
"""

from emotion.contract import (
    CLASSIFIER_INPUT,
    CLASSIFIER_NAME,
    CLASSIFIER_OUTPUT,
    DETECTOR_INPUT,
    DETECTOR_NAME,
    DETECTOR_OUTPUTS,
)
from emotion.labels import EMOTIONS
from emotion.model_config import with_names
from emotion.preprocessing import CROP_SIDE

# One thread: the default takes every core, in every instance.
_ON_ONE_CPU_THREAD = """\
dynamic_batching { }
instance_group [ { kind: KIND_CPU count: 1 } ]
parameters { key: "intra_op_thread_count" value: { string_value: "1" } }
parameters { key: "inter_op_thread_count" value: { string_value: "1" } }
version_policy { latest { num_versions: 1 } }"""

_CROP = f"[ 1, {CROP_SIDE}, {CROP_SIDE} ]"

_CLASSIFIER_CONFIG = f"""\
name: "{CLASSIFIER_NAME}"
backend: "onnxruntime"
max_batch_size: 64
input [
  {{ name: "{CLASSIFIER_INPUT}" data_type: TYPE_UINT8 dims: {_CROP} }}
]
output [
  {{
    name: "{CLASSIFIER_OUTPUT}"
    data_type: TYPE_FP32
    dims: [ {len(EMOTIONS)} ]
    label_filename: "labels.txt"
  }}
]
{_ON_ONE_CPU_THREAD}
model_warmup [
  {{
    name: "black_face"
    batch_size: 1
    inputs {{
      key: "{CLASSIFIER_INPUT}"
      value {{ data_type: TYPE_UINT8 dims: {_CROP} zero_data: true }}
    }}
  }}
]
"""

DETECTOR_CONFIG = f"""\
name: "{DETECTOR_NAME}"
backend: "onnxruntime"
max_batch_size: 8
input [
  {{ name: "{DETECTOR_INPUT}" data_type: TYPE_UINT8 dims: [ -1, -1, 3 ] }}
]
output [
  {{ name: "{DETECTOR_OUTPUTS[0]}" data_type: TYPE_FP32 dims: [ -1, 4 ] }},
  {{ name: "{DETECTOR_OUTPUTS[1]}" data_type: TYPE_FP32 dims: [ -1 ] }},
  {{ name: "{DETECTOR_OUTPUTS[2]}" data_type: TYPE_FP32 dims: [ -1, 10 ] }}
]
{_ON_ONE_CPU_THREAD}
model_warmup [
  {{
    name: "black_photo"
    batch_size: 1
    inputs {{
      key: "{DETECTOR_INPUT}"
      value {{ data_type: TYPE_UINT8 dims: [ 480, 640, 3 ] zero_data: true }}
    }}
  }}
]
"""


def classifier_config(version: str) -> str:
    """Return the classifier's ``config.pbtxt`` with this version in folder 1."""
    return with_names(_CLASSIFIER_CONFIG, {1: version})
