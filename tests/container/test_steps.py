"""Steps are carried out as written, in a root of their own; and, in a heavy test, ours are."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path

import httpx
import pytest

from container.containerfile import NotUnderstood, read_stages
from container.debian import bare_system
from container.steps import Build, carry_out, size_of
from container.system import Setting, System
from tests.e2e.servers import Server, running, until
from tests.pictures import astronaut, encode

PROJECT = Path(__file__).parents[2]
IMAGE = "docker.io/library/python:3.11-slim-bookworm@sha256:PINNED_BY_MAKE_PIN_IMAGES"

needs_root = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("unshare") is None, reason="takes root and unshare"
)


@pytest.fixture
def tiny(tmp_path: Path) -> System:
    """A system that has a shell and nothing else: this machine's, and the libraries it needs."""
    root = tmp_path / "tiny"
    for name in ("proc", "dev", "run", "tmp", "place", "etc"):
        (root / name).mkdir(parents=True)
    for program in (
        "/bin/sh",
        "/usr/bin/env",
        "/bin/cat",
        "/bin/rm",
        "/usr/bin/id",
        "/usr/bin/touch",
    ):
        for one in (program, *libraries_of(program)):
            place = root / Path(one).relative_to("/")
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(one, place)
    return System(root, Setting())


def libraries_of(program: str) -> list[str]:
    listed = subprocess.run(  # noqa: S603  # a test's own words
        ["/usr/bin/ldd", program], check=True, capture_output=True, text=True
    )
    return [word for word in listed.stdout.split() if word.startswith("/")]


def project_of(folder: Path, steps: str) -> Path:
    project = folder / "project"
    project.mkdir()
    (project / ".dockerignore").write_text("/*\n!/given\n")
    (project / "Containerfile").write_text(f"FROM tiny AS first\n{steps}")
    (project / "given").write_text("given\n")
    return project


def carried_out(
    tiny: System, folder: Path, steps: str, arguments: Mapping[str, str] | None = None
) -> System:
    project = project_of(folder, steps)
    return carry_out(
        Build(project, folder / "build", lambda _: tiny, arguments or {}, lambda _: None)
    )


def said_inside(system: System, *words: str, read_only: bool = True) -> str:
    command = system.command(words, read_only=read_only)
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603  # ours
    return done.stdout


@needs_root
def test_steps_run_in_the_stages_root_with_what_was_set(tiny: System, tmp_path: Path) -> None:
    image = carried_out(
        tiny,
        tmp_path,
        "ENV A=1 B=two\nENV A=$A$B\nARG C=default\nWORKDIR /place\nCOPY given ./\n"
        'RUN echo "$A $C" > said && cat given >> said\nFROM first\nRUN cat said > again\n',
        {"C": "argument"},
    )
    assert image.inside("/place/again").read_text() == "1two argument\ngiven\n"
    assert image.setting.folder == "/place"
    assert not Path("/place/again").exists()


@needs_root
def test_nothing_of_the_machines_own_environment_is_seen(
    tiny: System, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET", "ours")
    image = carried_out(tiny, tmp_path, "RUN env > /seen\nFROM first\n")
    assert "SECRET" not in image.inside("/seen").read_text()


@needs_root
def test_a_stage_takes_files_of_another(tiny: System, tmp_path: Path) -> None:
    image = carried_out(
        tiny,
        tmp_path,
        "RUN echo made > /place/made\nFROM tiny\nCOPY --from=first /place /place\n",
    )
    assert image.inside("/place/made").read_text() == "made\n"


@needs_root
def test_a_step_that_fails_ends_it(tiny: System, tmp_path: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        carried_out(tiny, tmp_path, "RUN cat /absent 2> /dev/null\nFROM first\n")


@needs_root
def test_a_read_only_image_writes_to_two_places_as_its_user(tiny: System, tmp_path: Path) -> None:
    steps = "WORKDIR /home\nFROM first\nENV RAPT_HOME=/home\nUSER 10001:10002\n"
    image = carried_out(tiny, tmp_path, steps)
    assert said_inside(image, "id", "-u") + said_inside(image, "id", "-G") == "10001\n10002\n"
    assert said_inside(image, "sh", "-c", "touch /home/a /tmp/b && echo written") == "written\n"
    refused = "touch /place/c 2> /tmp/why || cat /tmp/why"
    assert "Read-only file system" in said_inside(image, "sh", "-c", refused)
    assert not image.inside("/tmp/b").exists()  # noqa: S108  # inside


@needs_root
def test_the_image_has_no_installer_of_the_official_python(tiny: System) -> None:
    """Debian's Python, which stands in for it otherwise, has none in these places."""
    library = tiny.inside("/usr/local/lib/python3.11")
    programs = tiny.inside("/usr/local/bin")
    needed = [library / "json/__init__.py", programs / "python3.11"]
    installers = [
        library / "site-packages/pip/__init__.py",
        library / "site-packages/setuptools/__init__.py",
        library / "ensurepip/_bundled/pip.whl",
        *(programs / name for name in ("pip", "pip3", "pip3.11", "wheel")),
    ]
    for file in (*needed, *installers):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    carry_out_removals(tiny)
    assert [file for file in installers if file.exists()] == []
    assert [file for file in needed if not file.exists()] == []


@needs_root
def test_what_another_kind_of_machine_never_had_need_not_be_removed(tiny: System) -> None:
    assert carry_out_removals(tiny) == 2


def carry_out_removals(system: System) -> int:
    """Carry out our Containerfile's steps that only remove; return how many there are."""
    stages = read_stages((PROJECT / "Containerfile").read_text(encoding="utf-8"))
    steps = [one.value for stage in stages for one in stage.instructions if one.word == "RUN"]
    removals = [step for step in steps if step.startswith("rm ")]
    for step in removals:
        system.run(["/bin/sh", "-c", step])
    return len(removals)


def test_an_image_that_nothing_stands_in_for_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotUnderstood, match=r"debian:12@sha256:0 has no stand-in"):
        bare_system("docker.io/library/debian:12@sha256:0", tmp_path)


def test_a_file_with_two_names_counts_once(tmp_path: Path) -> None:
    (tmp_path / "one").write_bytes(b"1234567")
    (tmp_path / "two").hardlink_to(tmp_path / "one")
    (tmp_path / "three").symlink_to("one")
    assert size_of(tmp_path) == 7


def is_ready(server: Server) -> bool:
    try:
        return server.get("/readyz").status_code == HTTPStatus.OK
    except httpx.TransportError:
        return False


@pytest.mark.soak
@needs_root
@pytest.mark.skipif(
    shutil.which("debootstrap", path="/usr/sbin:/usr/bin") is None, reason="takes debootstrap"
)
def test_our_image_works_on_a_bare_debian(tmp_path: Path) -> None:
    """Takes minutes: packages are fetched as a build fetches them."""
    folder = PROJECT / "build" / "image"
    debian = folder / "debian"
    image = carry_out(Build(PROJECT, folder, lambda one: bare_system(one, debian), {}, print))
    front = ["bentoml", "serve", "service.runners:EmotionService", "--host", "127.0.0.1"]
    # Where `docker run` or a pod would say them.
    ports = {"RAPT_GRPC_PORT": "0"}
    with running(image.command(front, ports, read_only=True), tmp_path) as server:
        until(lambda: is_ready(server), 120, server)
        assert len(server.post(encode(astronaut(), "JPEG")).json()["faces"]) == 1
        server.process.terminate()
        assert server.process.wait(40) == 0
    worker = image.command(["python", "-m", "service.worker"], read_only=True)
    with subprocess.Popen(  # noqa: S603  # ours
        worker, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        assert any("worker_started" in line for line in process.stdout)
        process.terminate()
        assert process.wait(40) == 0
