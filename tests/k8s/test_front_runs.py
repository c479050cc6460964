"""The front's command runs as it is written, with the settings that an overlay gives it."""

import sys
from functools import partial
from pathlib import Path

import httpx

from k8s.checks.rendering import FOLDER, render
from tests.e2e.servers import Server, running, until

_START_SECONDS = 90.0
_FOLDERS = ("HOME", "BENTOML_HOME", "RAPT_HOME")


def answers(server: Server, path: str) -> bool:
    """Whether a probe would pass."""
    try:
        return server.get(path).status_code == 200
    except httpx.TransportError:
        return False


def test_on_one_node_the_front_becomes_ready_and_answers_what_its_probes_ask(
    tmp_path: Path,
) -> None:
    local = render(FOLDER / "overlays" / "local")
    (front,) = [pod for pod in local.pods() if pod.component == "front"]
    (container,) = front.containers
    settings = local.settings_of(container)
    # What is mounted in a pod.
    mounted = {name: str(tmp_path / name.lower()) for name in _FOLDERS}
    place = tmp_path / "empty"
    place.mkdir()
    program = Path(sys.executable).with_name(container["command"][0])
    command = [str(program), *container["command"][1:], *container["args"]]
    with running(command, tmp_path, place=place, **{**settings, **mounted}) as server:
        probes = ("startupProbe", "readinessProbe", "livenessProbe")
        for path in (container[probe]["httpGet"]["path"] for probe in probes):
            until(partial(answers, server, path), _START_SECONDS, server)
    assert list(place.iterdir()) == []
