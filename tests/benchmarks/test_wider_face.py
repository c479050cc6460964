import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.wider_face import LabelledImage, match, read_sample, score_detector
from emotion.detection import DetectionSettings, FaceNetwork, detect
from emotion.faces import Box, Detection
from tests.pictures import astronaut

# Two true faces in an image of 416x416, and a third that the easy level doesn't count.
BOXES = [[100.0, 100.0, 50.0, 60.0], [300.0, 100.0, 50.0, 60.0], [10.0, 300.0, 20.0, 20.0]]
LEVELS = {"easy": [True, True, False], "medium": [True] * 3, "hard": [True] * 3}


def face(x: float, y: float, width: float, height: float, score: float = 0.9) -> Detection:
    return Detection(Box(x, y, width, height), score, ((0.0, 0.0),) * 5)


def labelled() -> LabelledImage:
    levels = {level: np.array(counted) for level, counted in LEVELS.items()}
    return LabelledImage(np.zeros((416, 416, 3), np.uint8), np.array(BOXES), levels)


def write_sample(folder: Path, original: tuple[int, int], boxes: list[list[float]]) -> None:
    """A sample of one picture, the astronaut, stored squashed."""
    (folder / "images").mkdir()
    stored = cv2.resize(astronaut()[: original[1], : original[0]], (416, 416))
    cv2.imwrite(str(folder / "images" / "one.png"), cv2.cvtColor(stored, cv2.COLOR_RGB2BGR))
    counted = dict.fromkeys(("easy", "medium", "hard"), [True] * len(boxes))
    entry = {"original_size": original, "boxes_xywh": boxes, **counted}
    (folder / "ground_truth.json").write_text(json.dumps({"one.png": entry}), encoding="utf-8")


def test_face_that_overlaps_enough_matches() -> None:
    taken = match([face(110, 100, 50, 60)], np.array(BOXES))  # 40 of 60 columns are shared
    assert taken.tolist() == [True, False, False]


def test_face_that_overlaps_too_little_does_not_match() -> None:
    assert not match([face(117, 100, 50, 60)], np.array(BOXES)).any()  # 33 of 67


def test_true_face_is_taken_once() -> None:
    twice = [face(100, 100, 50, 60), face(101, 100, 50, 60)]
    assert match(twice, np.array(BOXES)).tolist() == [True, False, False]


def test_image_without_true_faces_matches_nothing() -> None:
    assert match([face(0, 0, 1, 1)], np.empty((0, 4))).tolist() == []


def test_recall_detections_and_unmatched_are_counted() -> None:
    found = [face(100, 100, 50, 60), face(10, 300, 20, 20), face(0, 0, 9, 9)]
    score = score_detector(lambda _: found, iter([labelled(), labelled()]))
    assert score.recall == {"easy": 0.5, "medium": 2 / 3, "hard": 2 / 3}
    assert (score.detections, score.unmatched) == (6, 2)


def test_image_is_stretched_back_to_its_aspect(tmp_path: Path) -> None:
    write_sample(tmp_path, (512, 256), [[104.0, 208.0, 41.6, 83.2]])
    (sample,) = read_sample(tmp_path, 1024)
    assert sample.image.shape == (512, 1024, 3)
    assert sample.boxes[0] == pytest.approx([256, 256, 102.4, 102.4])


def test_missing_image_is_an_error(tmp_path: Path) -> None:
    write_sample(tmp_path, (512, 256), [])
    (tmp_path / "images" / "one.png").unlink()
    with pytest.raises(FileNotFoundError, match=r"one\.png"):
        next(read_sample(tmp_path, 640))


def test_served_detector_finds_the_astronaut_and_nobody_else(
    tmp_path: Path, face_network: FaceNetwork
) -> None:
    # Her face by eye, in the 512x512 original: from 170, 60 to 270, 180.
    write_sample(tmp_path, (512, 512), [[part * 416 / 512 for part in (170, 60, 100, 120)]])
    score = score_detector(
        lambda image: detect(image, face_network, DetectionSettings()), read_sample(tmp_path, 640)
    )
    assert set(score.recall.values()) == {1.0}
    assert (score.detections, score.unmatched) == (1, 0)
