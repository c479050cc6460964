"""What ``rapt video`` does: a file through the inline stages, its report to people or files."""

import os
import signal
import threading
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from tempfile import mkstemp
from types import FrameType

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from emotion.errors import InvalidRequest, Stopped
from emotion.labels import EMOTIONS
from emotion.reports.charts import clock
from emotion.reports.formats import FORMATS, ReportFormat, render
from emotion.reports.wording import percent
from emotion.video.assembly import assemble
from emotion.video.observations import decode_segment, encode_segment
from emotion.video.probe import probe
from emotion.video.report import FaceReport, Report
from emotion.video.settings import VideoSettings, segments
from service.models.served import choose_classifier
from service.settings import load_settings
from service.stages.inline_video import describe_detector, video_analyser

# Faces of the table: those that are seen longest.
_MOST_ROWS = 20
# What mkstemp gives a file lets nobody else read it.
_FILE_MODE = 0o666


def analyse_video(file: Path, interval: float, targets: Sequence[Path]) -> None:
    """Analyse a video; print its report, or write it to files.

    Args:
        file: the video.
        interval: seconds between two frames that are looked at.
        targets: of the report; the suffix of each says its form. None prints it.

    Raises:
        InputError: the video can't be used, or a target can't be written.
        ContractMismatch: no model is what this code was built for.
        Abort: Ctrl-C was pressed.
    """
    # Whoever opens a pipe to see what is in it waits until somebody writes.
    if not file.is_file():
        raise InvalidRequest(f"{click.format_filename(file)} is no regular file.")
    forms = {target: _form_of(target, file) for target in targets}
    settings = load_settings()
    limits = settings.video_limits
    video = VideoSettings(interval, settings.segment_seconds, settings.min_score)
    kept: list[bytes] = []
    with _ending_at_ctrl_c() as ending, _progress() as progress:
        info = probe(file, limits)
        served = choose_classifier(settings.model_repositories, settings.max_batch)
        for refused in served.passed_over:
            click.echo(refused, err=True)
        analyser = video_analyser(served.classifier, settings, limits, video)
        task = progress.add_task("Video", total=info.duration)
        for segment in segments(info, video):
            result = analyser.analyse_segment(
                file,
                segment,
                should_stop=ending.is_set,
                on_frame=lambda time: progress.update(task, completed=time),
            )
            kept.append(encode_segment(result))
        progress.update(task, completed=info.duration)
    version = served.classifier.version
    results = map(decode_segment, kept)
    seed = uuid.uuid4().hex
    report = assemble(info, results, video, version, describe_detector(settings), seed)
    if not targets:
        _print(file, report)
    title = click.format_filename(file, shorten=True)
    for target, form in forms.items():
        content = render(report, form, title=title, created_at=datetime.now(UTC))
        _write(target, content)
        click.echo(f"Written to {click.format_filename(target)}")


def _form_of(target: Path, file: Path) -> ReportFormat:
    """Tell a target's form by its suffix, and refuse one that can't be meant."""
    for form in FORMATS:
        if target.suffix.lower() == f".{form}":
            break
    else:
        raise InvalidRequest(
            f"{target}: --report takes a file name that ends in .html, .json or .csv."
        )
    try:
        if target.exists() and target.samefile(file):
            raise InvalidRequest(f"{target}: --report would replace the video itself.")
        folder = _behind_links(target).parent
    except OSError as error:
        raise _unwritable(target, error) from error
    if not folder.is_dir():
        raise InvalidRequest(f"{target}: there is no folder {folder}.")
    return form


@contextmanager
def _ending_at_ctrl_c() -> Iterator[threading.Event]:
    """Set an event at Ctrl-C: an exception may come where a lock is held, or be taken for another.

    The next Ctrl-C interrupts. Where it is ignored, as in a shell's background, it stays ignored.

    Raises:
        Abort: Ctrl-C was pressed.
    """
    ending = threading.Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        ending.set()
        signal.signal(signal.SIGINT, former)

    former = signal.getsignal(signal.SIGINT)
    if former is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, on_signal)
    try:
        with suppress(Stopped):
            yield ending
    finally:
        signal.signal(signal.SIGINT, former)
    if ending.is_set():
        raise click.Abort


def _progress() -> Progress:
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    )


def _behind_links(target: Path) -> Path:
    """Return what a path leads to, be it there yet or not.

    Raises:
        OSError: its links lead in a circle.
    """
    try:
        return Path(os.path.realpath(target, strict=True))
    except FileNotFoundError:
        return Path(os.path.realpath(target))


def _unwritable(target: Path, error: OSError) -> InvalidRequest:
    return InvalidRequest(f"The report can't be written to {target}: {error.strerror or error}.")


def _write(target: Path, content: bytes) -> None:
    """Write all of a file, or nothing. What is no file, as a device, stays what it is."""
    try:
        if target.exists() and not target.is_file():
            target.write_bytes(content)
        else:
            _replace(_behind_links(target), content)
    except OSError as error:
        raise _unwritable(target, error) from error


def _replace(target: Path, content: bytes) -> None:
    handle, name = mkstemp(dir=target.parent, prefix=f".{target.name}.")
    draft = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        draft.chmod(_FILE_MODE & ~_umask())
        draft.replace(target)
    finally:
        with suppress(FileNotFoundError):
            draft.unlink()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _print(file: Path, report: Report) -> None:
    info = report.info
    click.echo(
        f"{click.format_filename(file)} ({info.width} x {info.height}, {clock(info.duration)})"
    )
    if not report.faces:
        click.echo("No face found.")
        return
    console = Console()
    console.print(_table(report))
    shown = [
        f"{emotion} {percent(share)}"
        for emotion, share in zip(EMOTIONS, report.audience.shares, strict=True)
        if share
    ]
    click.echo(f"Audience: {', '.join(shown)}")
    for moment in report.key_moments:
        click.echo(f"{clock(moment.time):>8}  {moment.text}")
    if report.skipped:
        click.echo(f"{report.skipped} damaged packets or frames were skipped.")


def _table(report: Report) -> Table:
    numbered = list(enumerate(report.faces, start=1))
    longest = sorted(numbered, key=lambda pair: len(pair[1].moments), reverse=True)
    rows = sorted(longest[:_MOST_ROWS], key=lambda pair: pair[0])
    table = Table("face", "seen", "most often", "confidence", "engagement")
    for number, face in rows:
        table.add_row(str(number), *_cells(face))
    if len(numbered) > len(rows):
        table.caption = f"{len(numbered) - len(rows)} more were seen for a shorter time."
    return table


def _cells(face: FaceReport) -> tuple[str, ...]:
    first, last = clock(face.first_seen), clock(face.last_seen)
    return (
        f"{first} to {last}" if len(face.moments) > 1 else f"once, at {first}",
        f"{face.emotion} {percent(max(face.shares))}",
        f"{face.confidence.average:.0%}",
        f"{face.engagement.index:.2f}",
    )
