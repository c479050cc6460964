"""The classifier's ``config.pbtxt``: how Triton and the in-process runtime serve it."""

from emotion.contract import CLASSIFIER_INPUT, CLASSIFIER_NAME, CLASSIFIER_OUTPUT
from emotion.labels import EMOTIONS
from emotion.preprocessing import CROP_SIDE

_CROP = f"[ 1, {CROP_SIDE}, {CROP_SIDE} ]"

# Written out although the backend could derive most of it: the file is a contract. Dims
# leave the batch out. One thread: the default takes every core, in every instance.
CONFIG = f"""\
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
dynamic_batching {{ }}
instance_group [ {{ kind: KIND_CPU count: 1 }} ]
parameters {{ key: "intra_op_thread_count" value: {{ string_value: "1" }} }}
parameters {{ key: "inter_op_thread_count" value: {{ string_value: "1" }} }}
version_policy {{ latest {{ num_versions: 1 }} }}
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
