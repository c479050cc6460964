"""A folder that commands run in as if it were the machine's root, as they do in a container.

There is no container engine in it: `unshare` gives a command mounts of its own and `chroot` its
root, so it needs Linux and root. Processes, network and users are the machine's.
"""

import os
import shutil
import ssl
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# What a machine that builds gives to builds: which certificates it trusts, and its package index.
_LENT = "/run/lent"
_SCRATCH = "/tmp"  # noqa: S108  # of the root, not of this machine
_MOUNTS = """
root=$1 lent=$2 certificates=$3 mode=$4 home=$5 owner=$6
shift 6
mount --bind "$root" "$root"
mount --rbind /proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs -o mode=0755 tmpfs "$root/run"
mkdir "$root/run/lent"
cp "$certificates" "$root/run/lent/certificates.pem"
if [ -e "$lent" ]; then cp "$lent" "$root/run/lent/pip.conf"; fi
if [ "$mode" = read-only ]; then
    mount -o remount,ro,bind "$root"
    mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
    mount -t tmpfs -o "mode=0700,uid=${owner%:*},gid=${owner#*:}" tmpfs "$root$home"
fi
cd "$root"
exec chroot --groups= --userspec "$owner" "$root" "$@"
"""


@dataclass(frozen=True, slots=True)
class Setting:
    """What `ENV`, `WORKDIR` and `USER` have said.

    Attributes:
        variables: of the environment.
        folder: that commands run in.
        user: numbers of user and group, as in ``10001:10001``.
        command: that is run where none is given.
    """

    variables: Mapping[str, str] = field(default_factory=lambda: {"PATH": _PATH})
    folder: str = "/"
    user: str = "0:0"
    command: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class System:
    """A root and what is said about it.

    Attributes:
        root: the folder.
        setting: what commands in it are given.
    """

    root: Path
    setting: Setting

    def command(
        self,
        words: Sequence[str],
        variables: Mapping[str, str] | None = None,
        *,
        read_only: bool = False,
    ) -> list[str]:
        """Return the words that run a command inside; signals reach it as if it were run alone.

        Args:
            words: the command's own.
            variables: set beside the setting's.
            read_only: only /tmp and RAPT_HOME can be written to, both empty at first, as when a
                container's root is read-only.
        """
        known = {**self.setting.variables, **(variables or {})}
        environment = [f"{name}={value}" for name, value in known.items()]
        inside = ["/usr/bin/env", "-i", f"--chdir={self.setting.folder}", *environment, *words]
        mode = "read-only" if read_only else "writable"
        home = known.get("RAPT_HOME", _SCRATCH)
        place = [str(self.root.absolute()), os.environ.get("PIP_CONFIG_FILE", "/etc/pip.conf")]
        place += [_certificates(), mode, home, self.setting.user]
        return ["unshare", "--mount", "sh", "-euc", _MOUNTS, "sh", *place, *inside]

    def run(self, words: Sequence[str], variables: Mapping[str, str] | None = None) -> None:
        """Run a command that may write anywhere, as a step of a build.

        Raises:
            CalledProcessError: it failed.
        """
        lent = {
            "PIP_CONFIG_FILE": f"{_LENT}/pip.conf",
            "PIP_CERT": f"{_LENT}/certificates.pem",
            **{name: os.environ[name] for name in ("PIP_INDEX_URL",) if name in os.environ},
        }
        command = self.command(words, {**lent, **(variables or {})})
        subprocess.run(command, check=True)  # noqa: S603  # the steps of a file of ours

    def inside(self, path: str) -> Path:
        """Return where a path inside lies."""
        return self.root / path.lstrip("/")


def copied(system: System, root: Path) -> System:
    """Return the same system in another folder."""
    shutil.rmtree(root, ignore_errors=True)
    root.parent.mkdir(parents=True, exist_ok=True)
    command = ["/bin/cp", "--archive", str(system.root), str(root)]
    subprocess.run(command, check=True)  # noqa: S603  # our own words
    return System(root, system.setting)


def _certificates() -> str:
    paths = ssl.get_default_verify_paths()
    return os.environ.get("PIP_CERT") or paths.cafile or paths.openssl_cafile
