"""What the init container leaves for Triton, by running its command as it is written."""

import subprocess
import sys
from pathlib import Path

import pytest

from k8s.checks.rendering import FOLDER, render


def copied(folder: str, target: Path) -> Path:
    """Run the init container's command, with a folder in the volume's place."""
    (triton,) = [pod for pod in render(FOLDER / folder).pods() if pod.component == "triton"]
    _, option, code = triton.spec["initContainers"][0]["command"]
    moved = code.replace("/models", str(target))
    subprocess.run([sys.executable, option, moved], cwd=FOLDER.parent, check=True)  # noqa: S603
    return target / "repository"


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file()
    }


def test_triton_is_given_the_models_of_the_image(model_repository: Path, tmp_path: Path) -> None:
    assert files_of(copied("overlays/production", tmp_path)) == files_of(model_repository)


@pytest.mark.parametrize("model", ["emotion_classifier", "face_detector"])
def test_on_a_gpu_configurations_ask_for_one(
    model_repository: Path, tmp_path: Path, model: str
) -> None:
    place = Path(model) / "config.pbtxt"
    config = (copied("examples/gpu", tmp_path) / place).read_text(encoding="utf-8")
    committed = (model_repository / place).read_text(encoding="utf-8")
    assert config == committed.replace("KIND_CPU", "KIND_GPU")
    assert config.count("KIND_GPU") == 1
