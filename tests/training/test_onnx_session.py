from pathlib import Path

import pytest

from training.errors import ModelFileError
from training.onnx_session import open_session


def test_session_has_the_threads_that_were_asked_for(model_repository: Path) -> None:
    model = (model_repository / "face_detector" / "1" / "model.onnx").read_bytes()
    options = open_session(model, threads=2).get_session_options()
    assert (options.intra_op_num_threads, options.inter_op_num_threads) == (2, 1)


@pytest.mark.parametrize("content", [b"", b"no model"])
def test_content_that_is_no_model_is_an_error(content: bytes) -> None:
    with pytest.raises(ModelFileError, match="no model that ONNX Runtime can open"):
        open_session(content, threads=1)
