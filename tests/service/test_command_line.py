import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from emotion.contract import CLASSIFIER_NAME, DETECTOR_NAME
from service import command_line
from service.command_line import main
from service.supervisor import Address
from tests.service.tiny_models import TinyRepository, classifier, detector


def test_help_names_the_commands() -> None:
    result = CliRunner().invoke(main, ["--help"])
    assert result.exit_code == 0
    for command in ("check", "photo", "serve"):
        assert f"\n  {command} " in result.stdout


def test_help_loads_no_model_library() -> None:
    code = (
        "import sys; from service.command_line import main;"
        "main(['photo', '--help'], standalone_mode=False);"
        "assert not {'bentoml', 'cv2', 'onnxruntime'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)  # noqa: S603  # our own words


def test_check_tells_of_a_detector_that_does_not_fit(tiny: TinyRepository, tmp_path: Path) -> None:
    tiny.set_model(DETECTOR_NAME, detector(input_name="pixels"))
    tiny.folder = tmp_path / "home" / "models"
    tiny.write()
    result = CliRunner().invoke(main, ["check"])
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: face_detector: takes ['pixels'] and gives ")


def test_check_says_which_version_is_passed_over_and_what_is_served(
    tiny: TinyRepository, tmp_path: Path
) -> None:
    tiny.set_model(CLASSIFIER_NAME, classifier(classes=8), version=2)
    tiny.folder = tmp_path / "home" / "models"
    tiny.write()
    result = CliRunner().invoke(main, ["check"])
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        f"Models in {tiny.folder} are right: emotion_classifier tiny.",
        f"{tiny.folder}/emotion_classifier/2 is passed over: emotion_classifier: answers with "
        "shape (2, 8), not (2, 7).",
    ]


def test_check_fails_where_no_classifier_is_good(
    tiny: TinyRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny.set_model(CLASSIFIER_NAME, classifier(classes=8))
    tiny.folder = tmp_path / "home" / "models"
    tiny.write()
    built_in = TinyRepository(tmp_path / "built-in")
    built_in.replace("emotion_classifier/labels.txt", "angry", "furious")
    monkeypatch.setattr("service.settings.BUILT_IN_MODELS", built_in.write())
    result = CliRunner().invoke(main, ["check"])
    assert result.exit_code == 1
    assert "answers with shape (2, 8)" in result.stderr
    assert "the labels ['furious', " in result.stderr
    assert result.stderr.count("\n") == 1


def test_serve_does_not_start_when_the_check_fails(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object, **__: object) -> int:
        pytest.fail("served all the same")

    monkeypatch.setattr(command_line, "serve_until_told", fail)
    monkeypatch.setenv("RAPT_MAX_BYTES", "much")
    assert CliRunner().invoke(main, ["serve"]).exit_code == 1
    assert capfd.readouterr().err.startswith("Error: RAPT_MAX_BYTES: ")


def test_serve_listens_where_it_is_told_and_says_when_it_is_ready(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    addresses: list[Address] = []

    def serve(address: Address, on_ready: Callable[[], None], workers: int) -> int:
        assert workers == 3
        addresses.append(address)
        on_ready()
        return 7

    monkeypatch.setattr(command_line, "serve_until_told", serve)
    monkeypatch.setattr("subprocess.call", lambda _: 0)
    options = ["--host", "0.0.0.0", "--port", "8080", "--grpc-port", "8081"]  # noqa: S104  # not bound
    options += ["--topology", "inline", "--workers", "3"]
    result = CliRunner().invoke(main, ["serve", *options])
    assert result.exit_code == 7
    assert addresses == [Address("0.0.0.0", 8080, "inline", 8081)]  # noqa: S104  # not bound
    assert result.stdout == (
        "Rapt is ready on http://127.0.0.1:8080 (inline). "
        "API: http://127.0.0.1:8080/docs. gRPC: 127.0.0.1:8081. Ctrl-C ends it.\n"
    )


@pytest.mark.parametrize(
    ("options", "variable", "port"),
    [([], None, 3001), ([], "4001", 4001), (["--grpc-port", "5001"], "4001", 5001), ([], "0", 0)],
)
def test_the_port_for_grpc_is_an_option_or_a_variable(
    options: list[str], variable: str | None, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    addresses: list[Address] = []

    def serve(address: Address, on_ready: Callable[[], None], workers: int) -> int:
        addresses.append(address)
        on_ready()
        return 0

    monkeypatch.setattr(command_line, "serve_until_told", serve)
    monkeypatch.setattr("subprocess.call", lambda _: 0)
    result = CliRunner(env={"RAPT_GRPC_PORT": variable}).invoke(main, ["serve", *options])
    assert addresses[0].grpc_port == port
    assert ("gRPC: " in result.stdout) == (port > 0)


@pytest.mark.parametrize(
    "options", [["--port", "0"], ["--grpc-port", "-1"], ["--topology", "other"], ["--port", "x"]]
)
def test_a_wrong_option_is_told(options: list[str]) -> None:
    result = CliRunner().invoke(main, ["serve", *options])
    assert result.exit_code == 2
    assert options[0] in result.stderr


@pytest.mark.parametrize("command", ["photo", "serve"])
def test_the_examples_in_the_help_stand_on_lines_of_their_own(command: str) -> None:
    lines = CliRunner().invoke(main, [command, "--help"]).stdout.splitlines()
    assert f"    rapt {command}" in [line.rstrip()[: len(command) + 9] for line in lines]
    assert not any("\\b" in line or "\b" in line for line in lines)


def test_check_says_which_models_would_be_served() -> None:
    result = CliRunner().invoke(main, ["check"])
    assert result.exit_code == 0
    assert re.fullmatch(
        r"Models in .*model_repository are right: emotion_classifier .+\.\n", result.stdout
    )


def test_where_the_models_are_tritons_check_looks_at_settings_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("RAPT_TRITON_ADDRESS", "triton:8001")
    result = CliRunner().invoke(main, ["check", "--topology", "triton"])
    assert (result.exit_code, result.stdout) == (0, "Models are asked of Triton at triton:8001.\n")
    monkeypatch.setenv("RAPT_TRITON_ADDRESS", "http://triton:8001")
    result = CliRunner().invoke(main, ["check", "--topology", "triton"])
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: RAPT_TRITON_ADDRESS: ")
