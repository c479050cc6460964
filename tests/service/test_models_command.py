"""`rapt models` as people and the service call it."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from service.command_line import main
from service.models.repository import versions_of
from service.models.served import choose_classifier, choose_detector
from service.settings import BUILT_IN_MODELS
from tests.mlflow_server import MlflowServer
from tests.service.registry_models import TestRegistry
from tests.service.tiny_models import TinyRepository, classifier

NEW: bytes = classifier("new").SerializeToString()


@pytest.fixture
def registry(mlflow: MlflowServer, monkeypatch: pytest.MonkeyPatch) -> TestRegistry:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow.url)
    return TestRegistry(mlflow.url)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def models(*arguments: str) -> Result:
    result = CliRunner().invoke(main, ["models", *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result


def test_people_are_told_what_was_pulled_and_where_it_is(
    registry: TestRegistry, home: Path
) -> None:
    number = registry.register_champion(NEW)
    result = models("pull")
    place = home / "models" / "emotion_classifier" / "1"
    assert result.stdout == (
        f"Pulled emotion_classifier new, version {number} of the registry, to {place}.\n"
    )
    assert result.exit_code == 0


def test_programs_get_a_json_object(registry: TestRegistry) -> None:
    number = registry.register_champion(NEW)
    body = json.loads(models("pull", "--json").stdout)
    assert (body["outcome"], body["registry_version"], body["number"]) == ("pulled", number, 1)
    assert json.loads(models("pull", "--json").stdout)["outcome"] == "unchanged"


def test_a_failure_is_one_line_or_json_too(free_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{free_port}")
    result = models("pull")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: The model registry http://127.0.0.1:")
    assert result.stderr.count("\n") == 1
    result = models("pull", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["outcome"] == "unreachable"


def test_without_a_registry_json_says_misconfigured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    body = json.loads(models("pull", "--json").stdout)
    assert body["outcome"] == "misconfigured"
    assert "Set MLFLOW_TRACKING_URI" in body["detail"]


def test_a_registry_without_a_champion_is_empty(registry: TestRegistry) -> None:
    registry.have_no_champion()
    assert json.loads(models("pull", "--json").stdout)["outcome"] == "empty"


def test_a_models_folder_that_can_not_be_written_to_is_nobody_elses_fault(
    registry: TestRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = registry.register_champion(NEW)
    monkeypatch.setenv("RAPT_HOME", "/proc/nowhere")
    body = json.loads(models("pull", "--json").stdout)
    assert (body["outcome"], body["registry_version"]) == ("unplaced", number)
    assert body["detail"].startswith("/proc/nowhere")


def test_a_disk_that_takes_no_more_is_said_and_what_was_there_stays(
    registry: TestRegistry, home: Path
) -> None:
    registry.register_champion(NEW)
    models("pull")
    registry.register_champion(classifier("newer").SerializeToString())
    code = (
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100));"
        "from service.command_line import main; main(['models', 'pull', '--json'])"
    )
    command = [sys.executable, "-B", "-c", code]
    done = subprocess.run(command, capture_output=True, check=False)  # noqa: S603  # our own words
    body = json.loads(done.stdout)
    assert (body["outcome"], done.returncode) == ("unplaced", 1)
    assert body["detail"] == (
        f"{home}/models can't be written: File too large. The models that are there stay."
    )
    place = home / "models" / "emotion_classifier"
    assert {path.name for path in place.iterdir()} == {"1", "config.pbtxt", "labels.txt"}
    assert f"* emotion_classifier new in {place}/1 " in models("list").stdout


def test_of_a_refused_champion_json_has_the_number(registry: TestRegistry) -> None:
    number = registry.register_champion(NEW, digest="0" * 64)
    body = json.loads(models("pull", "--json").stdout)
    assert (body["outcome"], body["registry_version"]) == ("refused", number)


@pytest.mark.parametrize("uri", ["databricks", "foo://bar", "http://", "http://[::1"])
def test_what_is_no_address_of_a_registry_is_one_line(
    uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    result = models("pull")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: MLFLOW_TRACKING_URI is not the address of a server, ")
    assert result.stderr.count("\n") == 1


def test_a_check_says_that_models_will_not_be_pulled_from_an_address_that_is_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "foo")
    said = CliRunner().invoke(main, ["check"])
    assert said.exit_code == 0
    assert "\nModels are not pulled: MLFLOW_TRACKING_URI is not the address of " in said.stdout
    monkeypatch.setenv("RAPT_MODEL_POLL_SECONDS", "0")
    assert "not pulled" not in CliRunner().invoke(main, ["check"]).stdout


def test_a_file_that_is_named_like_a_version_is_passed_over_with_a_line(
    tiny: TinyRepository, home: Path
) -> None:
    tiny.folder = home / "models"
    place = tiny.write() / "emotion_classifier"
    (place / "5").write_bytes(b"no folder")
    lines = [line for line in models("list").stdout.splitlines() if "emotion_classifier" in line]
    assert lines[0] == (
        f"  emotion_classifier in {place}/5 can't be used: {place}/5/model.onnx: Not a directory. "
        "(put there)"
    )
    assert lines[1] == f"* emotion_classifier tiny in {place}/1 (put there)"


def test_another_repository_gets_the_champion_as_its_only_version(
    registry: TestRegistry, tiny: TinyRepository, home: Path
) -> None:
    registry.register_champion(NEW)
    assert models("pull", "--into", str(tiny.write())).exit_code == 0
    assert versions_of(tiny.folder / "emotion_classifier") == [2]
    assert not home.exists()


def test_another_repository_is_made_and_is_whole(registry: TestRegistry, tmp_path: Path) -> None:
    registry.register_champion(NEW)
    folder = tmp_path / "build" / "models"
    assert models("pull", "--into", str(folder)).exit_code == 0
    assert choose_classifier([folder], max_batch=32).classifier.version.version == "new"
    assert choose_detector([folder]).repository == folder


def test_a_pull_in_the_background_ends_with_whoever_started_it(tmp_path: Path) -> None:
    code = (
        "import os, signal, sys, threading; from service.models_command import "
        "stay_in_the_background; stay_in_the_background();"
        "print(os.getpid(), os.nice(0), flush=True); threading.Event().wait()"
    )
    parent_code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {code!r}])"
    before = os.nice(0)
    command = [sys.executable, "-c", parent_code]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:  # noqa: S603  # our own words
        assert parent.stdout is not None
        _, niceness = parent.stdout.readline().split()
        parent.send_signal(signal.SIGKILL)
        # The child holds the pipe open until it ends.
        assert parent.stdout.read() == ""
    assert int(niceness) == min(before + 5, 19)


def test_the_list_says_what_is_there_what_is_served_and_where_it_is_from(
    registry: TestRegistry, home: Path
) -> None:
    former = registry.register_champion(classifier("former").SerializeToString())
    models("pull")
    number = registry.register_champion(NEW)
    models("pull")
    place = home / "models" / "emotion_classifier"
    detector, newest, second, built_in, legend = models("list").stdout.splitlines()
    assert detector.startswith("* face_detector ")
    assert detector.endswith(f"in {BUILT_IN_MODELS}/face_detector/1 (built in)")
    assert newest == f"* emotion_classifier new in {place}/2 (version {number} of the registry)"
    assert second == f"  emotion_classifier former in {place}/1 (version {former} of the registry)"
    assert built_in.startswith("  emotion_classifier ")
    assert built_in.endswith(f" in {BUILT_IN_MODELS}/emotion_classifier/1 (built in)")
    assert legend == "* is served."


def test_the_list_marks_what_is_served_in_place_of_what_can_not_be_used(
    tiny: TinyRepository, home: Path
) -> None:
    tiny.folder = home / "models"
    tiny.set_model("emotion_classifier", classifier("good"), version=2)
    tiny.set_model("emotion_classifier", classifier(classes=8), version=3)
    tiny.set_model("emotion_classifier", classifier("newest"), version=4)
    tiny.write()
    place = tiny.folder / "emotion_classifier"
    (place / "4" / "model.onnx").write_bytes(b"changed")
    lines = [line for line in models("list").stdout.splitlines() if "emotion_classifier" in line]
    reason = f"{place}/4/model.onnx: its SHA-256 is not the one listed in "
    assert lines[0].startswith(f"  emotion_classifier in {place}/4 can't be used: {reason}")
    assert lines[0].endswith("(put there)")
    assert lines[1] == (
        f"  emotion_classifier in {place}/3 can't be used: emotion_classifier: answers with shape "
        "(2, 8), not (2, 7). (put there)"
    )
    assert lines[2] == f"* emotion_classifier good in {place}/2 (put there)"
    assert [line[0] for line in lines] == [" ", " ", "*", " ", " "]


def test_the_list_has_no_mark_where_nothing_can_be_served(
    tiny: TinyRepository, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in (home / "models", tmp_path / "built-in"):
        tiny.folder = folder
        for name in ("face_detector", "emotion_classifier"):
            tiny.files[f"{name}/1/model.onnx"] = b"no model"
        tiny.write()
    monkeypatch.setattr("service.settings.BUILT_IN_MODELS", tiny.folder)
    result = models("list")
    assert result.exit_code == 0
    assert [line[0] for line in result.stdout.splitlines()] == [" ", " ", " ", " ", "*"]


def test_the_help_has_examples() -> None:
    lines = models("pull", "--help").stdout.splitlines()
    assert "    MLFLOW_TRACKING_URI=http://localhost:5000 rapt models pull" in lines
    assert not any("in-background" in line for line in lines)
