"""The command line: ``rapt photo`` needs no server, ``rapt serve`` is one.

``rapt models`` brings the model that both use.
"""

# A \b in a docstring is a real backspace: click's mark of lines that it must not rewrap.
# ruff: noqa: D301

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import get_args

import click

from emotion.errors import RaptError
from service.supervisor import Address, Topology, serve_until_told


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="rapt")
def main() -> None:
    """Tell how an audience reacts.

    Finds the faces in a photo or a video and says which of seven expressions each shows. It is an
    apparent expression, not what somebody feels.
    """


@main.command()
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object a photo, one a line.")
@click.option(
    "--annotate",
    type=click.Path(path_type=Path),
    metavar="OUT",
    help="Also write the photo with its faces marked, as JPEG: a file name that ends in .jpg, or "
    "a folder that exists (for several photos).",
)
def photo(*, files: tuple[Path, ...], as_json: bool, annotate: Path | None) -> None:
    """Say what the photos FILES show, without a server.

    \b
    Examples:
      rapt photo party.jpg
      rapt photo --annotate marked.jpg party.jpg
      rapt photo --json *.jpg > faces.jsonl
    """
    # Imported late: the models' libraries take a second to load, and --help needs none of them.
    from service.photo_command import analyse_files  # noqa: PLC0415

    with _errors_as_messages():
        sys.exit(analyse_files(files, as_json=as_json, annotate=annotate))


@main.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--interval",
    default=0.5,
    show_default=True,
    type=click.FloatRange(0.04, 60.0),
    help="Seconds between two frames that are looked at.",
)
@click.option(
    "--report",
    "reports",
    multiple=True,
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="OUT",
    help="Write the report to a file that ends in .html (a page for people), .json or .csv; may be "
    "given several times. Left out, a summary is printed.",
)
def video(*, file: Path, interval: float, reports: tuple[Path, ...]) -> None:
    """Say what the faces in a video FILE show, and when, without a server.

    \b
    Examples:
      rapt video talk.mp4
      rapt video talk.mp4 --report talk.html --report talk.csv
      rapt video talk.mp4 --interval 0.2 --report talk.json
    """
    # Imported late, as above.
    from service.video_command import analyse_video  # noqa: PLC0415

    with _errors_as_messages():
        analyse_video(file, interval, reports)


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", default=3000, show_default=True, type=click.IntRange(1, 65535), help="HTTP port."
)
@click.option(
    "--grpc-port",
    default=3001,
    show_default=True,
    envvar="RAPT_GRPC_PORT",
    show_envvar=True,
    type=click.IntRange(0, 65535),
    help="gRPC port; 0 is no gRPC.",
)
@click.option(
    "--topology",
    default="runners",
    show_default=True,
    type=click.Choice(get_args(Topology)),
    help="runners: a process for each model. inline: all in one, the least cost. triton: the "
    "models are on a Triton server (RAPT_TRITON_ADDRESS).",
)
@click.option(
    "--workers",
    default=1,
    show_default=True,
    type=click.IntRange(0, 64),
    help="Processes that work on jobs, one each at a time. With 0, jobs wait for workers that "
    "are started otherwise (python -m service.worker), and messages of Kafka for python -m "
    "service.kafka.",
)
def serve(*, host: str, port: int, grpc_port: int, topology: Topology, workers: int) -> None:
    """Serve photos and videos over HTTP, and photos over gRPC, until Ctrl-C.

    Settings are read from the environment (RAPT_MAX_IN_FLIGHT, RAPT_DEADLINE_SECONDS, ...);
    docs/operations.md lists them.

    \b
    Examples:
      rapt serve
      rapt serve --topology inline --port 8080
    """
    # Checked in a process of its own, so that this one stays small for as long as it waits.
    command = [sys.executable, "-P", "-m", "service.command_line", "check", "--only-needed"]
    command += ["--topology", topology]
    if (status := subprocess.call(command)) != 0:  # noqa: S603  # our own words
        sys.exit(status)
    address = Address(host, port, topology, grpc_port)
    with _errors_as_messages():
        sys.exit(serve_until_told(address, lambda: _say_ready(address), workers))


@main.command()
@click.option(
    "--topology",
    default="runners",
    show_default=True,
    type=click.Choice(get_args(Topology)),
    help="Of `rapt serve`; in triton the models are Triton's, and only settings are checked.",
)
@click.option(
    "--only-needed",
    is_flag=True,
    help="Leave out what the service starts without: RAPT_SOURCES, and whether Kafka answers.",
)
def check(*, topology: Topology, only_needed: bool) -> None:
    """Try database, bucket, sources, Kafka and the model files, a line each; nothing is changed.

    Neither Triton nor MLflow is asked: /readyz of a running service says how it stands with them.

    The exit status is 1 if anything can't be used: settings, database, bucket, sources, Kafka, or
    the model that would be served.
    """
    # Imported late, as above.
    from service.checks import outside_checks, storage_checks  # noqa: PLC0415
    from service.models_command import describe_served, describe_triton  # noqa: PLC0415
    from service.settings import load_settings  # noqa: PLC0415

    with _errors_as_messages():
        settings = load_settings()
    checks = [
        *storage_checks(settings),
        describe_triton if topology == "triton" else describe_served,
    ]
    if not only_needed:
        checks += outside_checks(settings)
    said = set[str]()
    for one in checks:
        try:
            click.echo(one())
        except RaptError as error:
            # What stands in the way of several is said once.
            if error.message not in said:
                click.echo(f"Error: {error.message}", err=True)
            said.add(error.message)
    sys.exit(1 if said else 0)


@main.group()
def models() -> None:
    """Pull the model that is to be served, and list those that are there."""


@models.command()
@click.option(
    "--into",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Place it in this model repository, as its only version, beside the face detector: for an "
    "image that is built, or a Triton server. Left out, it goes to $RAPT_HOME/models.",
)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object, of a failure too.")
@click.option("--in-background", is_flag=True, hidden=True)
def pull(*, into: Path | None, as_json: bool, in_background: bool) -> None:
    """Fetch the registry's champion, and serve it from now on.

    MLFLOW_TRACKING_URI says where the registry is. Only the ONNX file is taken, its checksum and
    its contract are checked, and a running service swaps to it without a pause. A service that
    runs with MLFLOW_TRACKING_URI set does this by itself (RAPT_MODEL_POLL_SECONDS).

    \b
    Examples:
      MLFLOW_TRACKING_URI=http://localhost:5000 rapt models pull
      rapt models pull --into build/model_repository
    """
    # Imported late, as above.
    from service.models_command import pull_champion, stay_in_the_background  # noqa: PLC0415

    if in_background:
        stay_in_the_background()
    with _errors_as_messages():
        sys.exit(pull_champion(into=into, as_json=as_json))


@models.command(name="list")
def list_versions() -> None:
    """Say which model versions there are, which are served, and where they come from."""
    # Imported late, as above.
    from service.models_command import list_models  # noqa: PLC0415

    with _errors_as_messages():
        list_models()


@main.command()
def migrate() -> None:
    """Bring the tables of jobs up to date, and end: for clusters, ahead of fronts and workers.

    Those do it at their start as well; so elsewhere nobody needs this command.
    """
    # Imported late, as above.
    from service.jobs.migration import migrate as bring_up_to_date  # noqa: PLC0415
    from service.settings import load_settings  # noqa: PLC0415

    with _errors_as_messages():
        bring_up_to_date(load_settings())
        click.echo("The tables of jobs are up to date.")


def _say_ready(address: Address) -> None:
    grpc = f"gRPC: {address.grpc_target}. " if address.grpc_port else ""
    click.echo(
        f"Rapt is ready on {address.url} ({address.topology}). API: {address.url}/docs. {grpc}"
        "Ctrl-C ends it."
    )


@contextmanager
def _errors_as_messages() -> Iterator[None]:
    """Show a failure as one line, as click does, not as a traceback."""
    try:
        yield
    except RaptError as error:
        raise click.ClickException(error.message) from error


if __name__ == "__main__":
    main()
