"""``python -m container.steps``: carries out the Containerfile as written (``make image-steps``).

Without a container engine: each stage is a folder that begins as a bare Debian, and `RUN` runs in
it as root of that folder, with nothing of this machine but its kernel, its network and what builds
are lent (certificates, pip's index). It shows that the steps work as written, that the image needs
no library that a bare Debian lacks, and, by what is run in it then, that it works as that user on a
read-only root. It shows nothing of the engine's own: layers, digests, the official Python.
"""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import click

from container.containerfile import Instruction, NotUnderstood, pairs, read_stages, with_variables
from container.copying import copy_from_project, copy_from_stage
from container.debian import NoBareSystem, bare_system
from container.system import Setting, System, copied

_FILE = "Containerfile"
_LAST = "image"
_MEGABYTE = 10**6


@dataclass(frozen=True, slots=True)
class Build:
    """What a build is given.

    Attributes:
        project: the folder with the Containerfile, and all that it copies.
        into: gets a folder a stage.
        base: makes a system that stands in for an image.
        arguments: that `ARG` takes in place of its defaults.
        say: is told of each step.
    """

    project: Path
    into: Path
    base: Callable[[str], System]
    arguments: Mapping[str, str]
    say: Callable[[str], None]


@dataclass(frozen=True, slots=True)
class _Begun:
    """A stage in work.

    Attributes:
        system: as it is so far.
        arguments: what `ARG` has said.
    """

    system: System
    arguments: Mapping[str, str]

    @property
    def setting(self) -> Setting:
        return self.system.setting

    @property
    def variables(self) -> dict[str, str]:
        return {**self.setting.variables, **self.arguments}

    def set_to(self, setting: Setting) -> "_Begun":
        return replace(self, system=replace(self.system, setting=setting))


def carry_out(build: Build) -> System:
    """Carry out a project's Containerfile; return its last stage.

    Raises:
        NotUnderstood: it has what isn't understood here, or copies what isn't there.
        CalledProcessError: a step failed.
    """
    stages: dict[str, System] = {}
    for stage in read_stages((build.project / _FILE).read_text(encoding="utf-8")):
        name = stage.name or _LAST
        first = stages[stage.image] if stage.image in stages else build.base(stage.image)
        begun = _Begun(copied(first, build.into / name), {})
        for one in stage.instructions:
            build.say(f"{name}: {one.word} {one.value}")
            begun = _after(begun, one, build, stages)
        stages[name] = begun.system
    return stages[_LAST]


def _after(begun: _Begun, one: Instruction, build: Build, stages: Mapping[str, System]) -> _Begun:
    """Return a stage after one more instruction."""
    setting = begun.setting
    match one.word:
        case "ARG":
            name, _, default = one.value.partition("=")
            value = build.arguments.get(name, default)
            begun = replace(begun, arguments={**begun.arguments, name: value})
        case "ENV":
            said = {k: with_variables(v, begun.variables) for k, v in pairs(one.value).items()}
            begun = begun.set_to(replace(setting, variables={**setting.variables, **said}))
        case "WORKDIR":
            begun.system.inside(one.value).mkdir(parents=True, exist_ok=True)
            begun = begun.set_to(replace(setting, folder=one.value))
        case "USER":
            begun = begun.set_to(replace(setting, user=one.value))
        case "CMD":
            begun = begun.set_to(replace(setting, command=tuple(json.loads(one.value))))
        case "COPY":
            _copy(begun, one.value, build, stages)
        case "RUN":
            begun.system.run(["/bin/sh", "-c", one.value], begun.arguments)
        case _:
            pass  # EXPOSE and LABEL change nothing inside.
    return begun


def _copy(begun: _Begun, value: str, build: Build, stages: Mapping[str, System]) -> None:
    *sources, target = shlex.split(with_variables(value, begun.variables))
    place = begun.system.inside(str(PurePosixPath(begun.setting.folder) / target))
    stage = ""
    if sources[0].startswith("--from="):
        stage = sources.pop(0).removeprefix("--from=")
    for source in sources:
        if stage:
            copy_from_stage(stages[stage].inside(source), place)
        else:
            copy_from_project(build.project, source, place, into=target.endswith("/"))


def size_of(folder: Path) -> int:
    """Return the bytes of all files in a folder, each counted once however many names it has."""
    files = [one.lstat() for one in folder.rglob("*") if one.is_file() and not one.is_symlink()]
    return sum({(one.st_dev, one.st_ino): one.st_size for one in files}.values())


@click.command()
@click.option(
    "--into",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("build/image"),
    show_default=True,
    help="The folder for the stages.",
)
@click.option("--build-arg", "given", multiple=True, metavar="NAME=VALUE", help="As a build takes.")
def main(into: Path, given: tuple[str, ...]) -> None:
    """Carry out the steps, then have the image check its models, on a read-only root."""
    if os.geteuid():
        raise click.ClickException("This takes root: it gives each step a root of its own.")
    arguments = dict(one.split("=", 1) for one in given)
    debian = into / "debian"
    build = Build(Path(), into, lambda name: bare_system(name, debian), arguments, click.echo)
    try:
        image = carry_out(build)
        check = image.command(["rapt", "check"], read_only=True)
        subprocess.run(check, check=True)  # noqa: S603  # our own words
    except (NotUnderstood, NoBareSystem) as error:
        raise click.ClickException(str(error)) from error
    except subprocess.CalledProcessError as error:
        raise click.ClickException(
            f"It ended with {error.returncode}; the reason is above."
        ) from error
    megabytes = size_of(image.inside("/opt/rapt")) / _MEGABYTE
    click.echo(f"The steps work as written. /opt/rapt holds {megabytes:.0f} MB.")


if __name__ == "__main__":
    sys.exit(main())
