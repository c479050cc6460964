from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch

from emotion.detection import DetectionSettings, FaceNetwork, detect
from emotion.faces import Detection
from tests.pictures import astronaut, gradient
from training.data.finders import (
    FaceFinder,
    MtcnnFinder,
    OnnxFaceNetwork,
    RetinaFaceFinder,
    detector_file,
    identity_of,
    open_finder,
)
from training.errors import ModelFileError

SETTINGS = DetectionSettings()


@pytest.fixture(scope="module")
def mtcnn() -> FaceFinder:
    return MtcnnFinder(min_face=40)


def corners(face: Detection) -> npt.NDArray[np.float64]:
    box = face.box
    return np.array([box.x, box.y, box.x + box.width, box.y + box.height])


def test_retinaface_finds_what_is_found_when_serving(
    model_repository: Path, face_network: FaceNetwork
) -> None:
    (found,) = open_finder("retinaface", model_repository)(astronaut(), SETTINGS)
    (served,) = detect(astronaut(), face_network, SETTINGS)
    # Another runtime, the same file.
    np.testing.assert_allclose(corners(found), corners(served), atol=0.01)
    np.testing.assert_allclose(found.landmarks, served.landmarks, atol=0.01)


def test_mtcnn_finds_the_face_that_retinaface_finds(
    mtcnn: FaceFinder, face_network: FaceNetwork
) -> None:
    (found,) = mtcnn(astronaut(), SETTINGS)
    (served,) = RetinaFaceFinder(face_network)(astronaut(), SETTINGS)
    assert found.score > 0.99
    # Her eyes are 55 pixels apart.
    assert np.abs(np.array(found.landmarks) - np.array(served.landmarks)).max() < 8
    assert np.abs(corners(found) - corners(served)).max() < 16


def test_mtcnn_places_a_mirrored_face_where_it_is_mirrored(mtcnn: FaceFinder) -> None:
    (face,) = mtcnn(astronaut(), SETTINGS)
    (mirrored,) = mtcnn(np.ascontiguousarray(astronaut()[:, ::-1]), SETTINGS)
    x = np.array(face.landmarks)[[0, 1, 2, 3, 4], 0]
    mirrored_x = np.array(mirrored.landmarks)[[1, 0, 2, 4, 3], 0]
    assert (x + mirrored_x).mean() == pytest.approx(512, abs=1.5)


def test_mtcnn_tells_places_in_pixels_of_the_photo_as_it_came(mtcnn: FaceFinder) -> None:
    small = mtcnn(astronaut(), SETTINGS)[0]
    twice = np.repeat(np.repeat(astronaut(), 2, axis=0), 2, axis=1)
    large = mtcnn(twice, SETTINGS)[0]
    assert np.abs(corners(large) - 2 * corners(small)).max() < 6


def test_mtcnn_finds_none_where_there_is_none(mtcnn: FaceFinder) -> None:
    assert mtcnn(gradient(320, 200), SETTINGS) == ()


def test_mtcnn_keeps_to_the_least_score(mtcnn: FaceFinder) -> None:
    assert mtcnn(astronaut(), DetectionSettings(min_score=1.0)) == ()


def test_mtcnn_computes_on_one_thread(mtcnn: FaceFinder) -> None:
    assert torch.get_num_threads() == 1


def test_mtcnn_is_opened_by_its_name(model_repository: Path) -> None:
    assert isinstance(open_finder("mtcnn", model_repository), MtcnnFinder)


def test_identity_of_retinaface_is_its_files(tmp_path: Path) -> None:
    path = detector_file(tmp_path)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"one")
    one = identity_of("retinaface", tmp_path)
    path.write_bytes(b"two")
    assert one != identity_of("retinaface", tmp_path)
    assert one.startswith("retinaface 7692c3ad3540")


def test_identity_of_mtcnn_is_its_packages_version(tmp_path: Path) -> None:
    assert identity_of("mtcnn", tmp_path).startswith("facenet-pytorch 2.")


def test_missing_detector_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="No such file"):
        open_finder("retinaface", tmp_path)
    with pytest.raises(ModelFileError, match="No such file"):
        identity_of("retinaface", tmp_path)


def test_file_that_is_no_model_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"no model")
    with pytest.raises(ModelFileError, match="no model that ONNX Runtime can open"):
        OnnxFaceNetwork(tmp_path / "model.onnx")
