import json
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emotion.errors import ContractMismatch
from emotion.face_rows import rounded
from emotion.faces import Box, Detection, Face
from emotion.labels import Emotion
from emotion.video.observations import (
    SampledFrame,
    SegmentResult,
    decode_segment,
    encode_segment,
)
from tests.emotion.video.observed import MODEL, face_at, frames_of_faces, result_of

PLACES = st.floats(-1e5, 1e5)
SHARES = st.floats(0, 1)
POINTS = st.tuples(PLACES, PLACES)
FACES = st.builds(
    Face,
    st.builds(
        Detection,
        st.builds(Box, PLACES, PLACES, PLACES, PLACES),
        SHARES,
        st.tuples(POINTS, POINTS, POINTS, POINTS, POINTS),
    ),
    st.tuples(*[SHARES] * 7),
)
FRAMES = st.builds(
    SampledFrame,
    st.floats(0, 1e5).map(lambda time: round(time, 3)),
    st.lists(FACES.map(rounded), max_size=3).map(tuple),
)


@given(st.lists(FRAMES, max_size=4), st.lists(SHARES, max_size=3), st.integers(0, 10**6))
def test_what_is_kept_comes_back_exactly(
    frames: list[SampledFrame], cuts: list[float], skipped: int
) -> None:
    result = result_of(frames, index=7, cuts=cuts, skipped=skipped)
    assert decode_segment(encode_segment(result)) == result


def test_equal_results_have_equal_bytes() -> None:
    def make() -> SegmentResult:
        return result_of(frames_of_faces([[face_at(10, emotion=Emotion.SAD)], []]))

    assert encode_segment(make()) == encode_segment(make())


def test_a_face_takes_few_bytes() -> None:
    frames = frames_of_faces([[face_at(10 + step / 7)] for step in range(60)])
    assert len(encode_segment(result_of(frames))) < 60 * 100


def test_a_face_is_rounded_once() -> None:
    face = rounded(face_at(1 / 3, share=2 / 3))
    assert rounded(face) == face
    assert (face.detection.box.x, face.probabilities[6]) == (0.33, 0.66667)


@pytest.mark.parametrize(("field", "value"), [("form", 2), ("labels", ["happy", "sad"])])
def test_bytes_of_another_version_are_refused(field: str, value: object) -> None:
    content = json.loads(zlib.decompress(encode_segment(result_of(()))))
    content[field] = value
    with pytest.raises(ContractMismatch, match="another version of Rapt"):
        decode_segment(zlib.compress(json.dumps(content).encode()))


def test_the_model_is_kept() -> None:
    assert decode_segment(encode_segment(result_of(()))).model == MODEL
