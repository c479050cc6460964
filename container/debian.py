"""Makes a bare Debian with Python, which stands in for the image that ours begins with.

`python:3.11-slim-bookworm` is Debian's minimal system and Python; so is this, but Python is
Debian's own, of the same minor version, in place of one built into /usr/local.
"""

import re
import shutil
import subprocess
from pathlib import Path

from container.containerfile import NotUnderstood
from container.system import Setting, System

_OFFICIAL = re.compile(r"docker\.io/library/python:(?P<python>\d+\.\d+)-slim-(?P<suite>[a-z]+)@.+")
_OTHER_PYTHON = "import sys; sys.exit('%d.%d' % sys.version_info[:2] != sys.argv[1])"
_PACKAGES = "ca-certificates,python3,python3-venv"


class NoBareSystem(Exception):
    """There can't be a bare Debian here; the text says what it takes."""


def bare_system(image: str, root: Path) -> System:
    """Return a bare Debian that stands in for an official image of Python.

    It is made in ``root`` by `debootstrap`, once; one that is there is taken as it is.

    Raises:
        NotUnderstood: the image is another.
        NoBareSystem: there is no debootstrap, it failed, or that Debian's Python is another.
    """
    match = _OFFICIAL.fullmatch(image)
    if not match:
        raise NotUnderstood(f"{image} has no stand-in: it is no docker.io/library/python:X.Y-slim.")
    if not root.exists():
        _make(match["suite"], root)
    system = System(root, Setting())
    try:
        system.run(["python", "-c", _OTHER_PYTHON, match["python"]])
    except subprocess.CalledProcessError as error:
        raise NoBareSystem(
            f"Debian {match['suite']} has another Python than {match['python']}: "
            "its steps can't be tried here."
        ) from error
    return system


def _make(suite: str, root: Path) -> None:
    debootstrap = shutil.which("debootstrap", path="/usr/sbin:/usr/bin")
    if debootstrap is None:
        raise NoBareSystem("This takes Debian's debootstrap: apt-get install debootstrap.")
    unfinished = root.with_name(f"{root.name}.part")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    command = [debootstrap, "--variant=minbase", f"--include={_PACKAGES}", suite, str(unfinished)]
    made = subprocess.run(command, check=False, stdout=subprocess.DEVNULL)  # noqa: S603  # ours
    if made.returncode:
        raise NoBareSystem(f"debootstrap ended with {made.returncode}; the reason is above.")
    # An engine gives a container its hosts.
    (unfinished / "etc/hosts").write_text("127.0.0.1 localhost\n::1 localhost\n", encoding="utf-8")
    for name in ("python", "python3"):
        (unfinished / "usr/local/bin" / name).symlink_to("/usr/bin/python3")
    unfinished.rename(root)
