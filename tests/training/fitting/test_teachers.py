from pathlib import Path

import pytest
import torch
from torch import Tensor

from training.data.dataset import Fer2013
from training.errors import CheckpointError
from training.fitting.checkpoint import RunFolder, best_weights, load_network
from training.fitting.fit import fit
from training.fitting.teachers import answers_of
from training.recipe import Recipe, Stage

CPU = torch.device("cpu")


def recipe_of(*teachers: Path, taught: float = 0.6) -> Recipe:
    return Recipe(
        stages=(Stage(epochs=1, size=16),),
        batch_size=7,
        precision="fp32",
        teachers=teachers,
        taught=taught,
    )


@pytest.fixture(scope="module")
def faces(drawn: Fer2013) -> Tensor:
    return torch.from_numpy(drawn.train.images).unsqueeze(1)


@pytest.fixture(scope="module")
def fine_run(drawn: Fer2013, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run of the fine network."""
    path = tmp_path_factory.mktemp("fine")
    recipe = recipe_of(taught=0).model_copy(update={"network": "fine"})
    list(fit(recipe, drawn.train, drawn.val, RunFolder(path, resume=False), CPU))
    return path


def test_answer_is_the_mean_over_a_face_and_its_mirror_image(
    trained_run: Path, faces: Tensor
) -> None:
    network = load_network(best_weights(trained_run))
    with torch.inference_mode():
        views = [network(view.float()).softmax(1) for view in (faces, faces.flip(3))]
    given = answers_of(recipe_of(trained_run), faces)
    torch.testing.assert_close(given, (views[0] + views[1]) / 2)


def test_teachers_have_the_same_say(trained_run: Path, fine_run: Path, faces: Tensor) -> None:
    each = [answers_of(recipe_of(folder), faces) for folder in (trained_run, fine_run)]
    assert not torch.allclose(each[0], each[1], atol=1e-3)
    both = answers_of(recipe_of(trained_run, fine_run), faces)
    torch.testing.assert_close(both, (each[0] + each[1]) / 2)


def test_a_run_learns_what_its_teachers_say(fine_run: Path, drawn: Fer2013, tmp_path: Path) -> None:
    """Taught alone, the loss is the cross-entropy of two answers, not one against the labels."""
    losses = [
        next(
            fit(recipe, drawn.train, drawn.val, RunFolder(tmp_path / name, resume=False), CPU)
        ).loss
        for name, recipe in {
            "labels": recipe_of(taught=0),
            "taught": recipe_of(fine_run, taught=1),
        }.items()
    ]
    assert losses[0] != pytest.approx(losses[1], abs=1e-3)


def test_teacher_of_another_framing_is_refused(trained_run: Path, faces: Tensor) -> None:
    recipe = recipe_of(trained_run).model_copy(update={"framing": "aligned"})
    with pytest.raises(CheckpointError, match="learned from raw faces, so it can't teach from al"):
        answers_of(recipe, faces)


def test_folder_without_a_run_can_not_teach(faces: Tensor, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="The folder holds no training run"):
        answers_of(recipe_of(tmp_path), faces)


def test_weights_of_another_network_are_told(
    trained_run: Path, fine_run: Path, faces: Tensor, tmp_path: Path
) -> None:
    (tmp_path / "recipe.yaml").write_bytes((fine_run / "recipe.yaml").read_bytes())
    (tmp_path / "best.pt").write_bytes((trained_run / "best.pt").read_bytes())
    with pytest.raises(CheckpointError, match=r"best\.pt: no weights of FineNetwork"):
        answers_of(recipe_of(tmp_path), faces)
