import shutil
from pathlib import Path

import pytest
import torch
from torch import Tensor

from training.data.dataset import Fer2013
from training.errors import CheckpointError
from training.fitting.checkpoint import RunFolder, best_weights, load_network
from training.fitting.fit import fit
from training.fitting.run import Run
from training.fitting.targets import targets_of
from training.fitting.teachers import answers_for, answers_of
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


@pytest.fixture
def wanted(monkeypatch: pytest.MonkeyPatch) -> list[Tensor]:
    """Collects the targets of each step."""
    seen: list[Tensor] = []
    step = Run.step

    def spy(run: Run, pixels: Tensor, targets: Tensor, learning_rate: float) -> Tensor:
        seen.append(targets)
        return step(run, pixels, targets, learning_rate)

    monkeypatch.setattr(Run, "step", spy)
    return seen


def test_a_run_learns_labels_and_what_its_teachers_say(
    fine_run: Path, drawn: Fer2013, faces: Tensor, tmp_path: Path, wanted: list[Tensor]
) -> None:
    recipe = recipe_of(fine_run, taught=0.6)
    list(fit(recipe, drawn.train, drawn.val, RunFolder(tmp_path, resume=False), CPU))
    expected = 0.4 * targets_of(drawn.train, recipe) + 0.6 * answers_of(recipe, faces)
    rows = torch.cat(wanted)
    order = torch.cdist(rows, expected).argmin(dim=1)
    assert sorted(order.tolist()) == list(range(len(faces)))
    torch.testing.assert_close(rows, expected[order])


def test_resumed_run_learns_what_its_teachers_said_when_it_began(
    fine_run: Path, drawn: Fer2013, tmp_path: Path, wanted: list[Tensor]
) -> None:
    """Its teachers may be gone, or have learned more."""
    teacher = Path(shutil.copytree(fine_run, tmp_path / "teacher"))
    recipe = recipe_of(teacher).model_copy(update={"stages": (Stage(epochs=2, size=16),)})
    folder = tmp_path / "run"
    next(fit(recipe, drawn.train, drawn.val, RunFolder(folder, resume=False), CPU))
    first = torch.cat(wanted)
    wanted.clear()
    shutil.rmtree(teacher)
    list(fit(recipe, drawn.train, drawn.val, RunFolder(folder, resume=True), CPU))
    second = torch.cat(wanted)
    torch.testing.assert_close(
        first[first.sort(dim=0).indices[:, 0]], second[second.sort(dim=0).indices[:, 0]]
    )


def test_run_that_ended_in_its_first_epoch_does_not_ask_again(
    fine_run: Path, faces: Tensor, tmp_path: Path
) -> None:
    teacher = Path(shutil.copytree(fine_run, tmp_path / "teacher"))
    recipe = recipe_of(teacher)
    asked = answers_for(recipe, faces, RunFolder(tmp_path, resume=True), has_begun=False)
    shutil.rmtree(teacher)
    kept = answers_for(recipe, faces, RunFolder(tmp_path, resume=True), has_begun=False)
    assert torch.equal(asked, kept)
    with pytest.raises(CheckpointError, match="holds no run to learn from"):
        answers_for(recipe, faces, RunFolder(tmp_path, resume=False), has_begun=False)


@pytest.mark.parametrize("change", ["missing", "another order", "fewer", "no answers"])
def test_answers_that_are_not_the_runs_are_told(
    change: str, fine_run: Path, faces: Tensor, tmp_path: Path
) -> None:
    recipe = recipe_of(fine_run)
    answers_for(recipe, faces, RunFolder(tmp_path, resume=False), has_begun=False)
    if change == "missing":
        (tmp_path / "answers.pt").unlink()
    elif change == "no answers":
        shutil.copy(fine_run / "best.pt", tmp_path / "answers.pt")
    images = {"another order": faces.flip(0), "fewer": faces[:7]}.get(change, faces)
    with pytest.raises(CheckpointError, match=r"answers\.pt, .* Give the --data that the run beg"):
        answers_for(recipe, images, RunFolder(tmp_path, resume=True), has_begun=True)


def test_half_precision_answers_alike(
    trained_run: Path, faces: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True})
    exact = recipe_of(trained_run)
    rounded = exact.model_copy(update={"precision": "bf16"})
    one, other = answers_of(rounded, faces), answers_of(exact, faces)
    torch.testing.assert_close(one, other, atol=0.02, rtol=0)
    assert not torch.equal(one, other)


def test_teacher_of_another_framing_is_refused(trained_run: Path, faces: Tensor) -> None:
    recipe = recipe_of(trained_run).model_copy(update={"framing": "aligned"})
    with pytest.raises(CheckpointError, match="learned from raw faces, so it can't teach from al"):
        answers_of(recipe, faces)


def test_folder_without_a_run_can_not_teach(faces: Tensor, tmp_path: Path) -> None:
    with pytest.raises(
        CheckpointError,
        match=r"train\.teachers: .* holds no run to learn from .* Give the folder of a run",
    ):
        answers_of(recipe_of(tmp_path), faces)


def test_file_in_place_of_a_folder_can_not_teach(trained_run: Path, faces: Tensor) -> None:
    with pytest.raises(CheckpointError, match=r"best\.pt holds no run to learn from"):
        answers_of(recipe_of(trained_run / "best.pt"), faces)


def test_weights_of_another_network_are_told(
    trained_run: Path, fine_run: Path, faces: Tensor, tmp_path: Path
) -> None:
    (tmp_path / "recipe.yaml").write_bytes((fine_run / "recipe.yaml").read_bytes())
    (tmp_path / "best.pt").write_bytes((trained_run / "best.pt").read_bytes())
    with pytest.raises(
        CheckpointError, match=r"train\.teachers: .*best\.pt is damaged, or of another network"
    ):
        answers_of(recipe_of(tmp_path), faces)
