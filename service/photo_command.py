"""What ``rapt photo`` does: files through the inline pipeline, results to people or programs."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import track
from rich.table import Table

from emotion.deadline import Deadline
from emotion.errors import InvalidRequest, RaptError
from emotion.faces import PhotoAnswer
from emotion.image import RgbImage, decode
from emotion.photo import PhotoPipeline
from service.annotation import annotate as draw
from service.answers import PhotoBody
from service.models.served import choose_classifier
from service.settings import load_settings
from service.stages.inline import InlineClassifier, InlineDetector

_JPEG_SUFFIXES = (".jpg", ".jpeg")


def analyse_files(files: Sequence[Path], *, as_json: bool, annotate: Path | None) -> int:
    """Analyse photos one after the other and print each result.

    Args:
        files: the photos.
        as_json: print JSON lines in place of tables.
        annotate: where to write marked photos: a file for one photo, a folder for several.

    Returns:
        0, or 1 if some photo could not be used.

    Raises:
        InvalidRequest: several photos but ``annotate`` is no folder.
        ContractMismatch: no model is what this code was built for.
    """
    targets = _targets(files, annotate)
    settings = load_settings()
    served = choose_classifier(settings.model_repositories, settings.max_batch)
    for refused in served.passed_over:
        click.echo(refused, err=True)
    classifier = InlineClassifier(served.classifier, settings)
    pipeline = PhotoPipeline(InlineDetector(settings), classifier)
    failed = False
    console = Console(stderr=True)
    shown = track(
        files, "Photos", console=console, disable=len(files) == 1 or not console.is_terminal
    )
    with asyncio.Runner() as runner:
        for file in shown:
            try:
                content = _read(file)
                (result,) = runner.run(pipeline.analyse([content], Deadline()))
                _print(file, result, as_json=as_json)
                if isinstance(result, RaptError):
                    raise result
                if file in targets:
                    _write_marked(targets[file], decode(content, settings.limits), result)
            except RaptError as error:
                failed = True
                click.echo(f"{click.format_filename(file)}: {error.message}", err=True)
    return int(failed)


def _targets(files: Sequence[Path], annotate: Path | None) -> dict[Path, Path]:
    """Say where each photo's marked copy goes."""
    if annotate is None:
        return {}
    if annotate.is_dir():
        targets = {file: annotate / f"{file.stem}.marked.jpg" for file in files}
        if len(set(targets.values())) < len(targets):
            raise InvalidRequest(
                f"{annotate}: two of the photos have one name, so one copy would replace the other."
            )
        return targets
    if len(files) > 1:
        raise InvalidRequest(
            f"{annotate}: for several photos, --annotate takes an existing folder."
        )
    if annotate.suffix.lower() not in _JPEG_SUFFIXES:
        raise InvalidRequest(
            f"{annotate}: --annotate takes a file name that ends in .jpg, or an existing folder."
        )
    if annotate.exists() and annotate.samefile(files[0]):
        raise InvalidRequest(f"{annotate}: --annotate would replace the photo itself.")
    return {files[0]: annotate}


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise InvalidRequest(f"can't be read: {error.strerror}.") from error


def _write_marked(target: Path, image: RgbImage, answer: PhotoAnswer) -> None:
    try:
        target.write_bytes(draw(image, answer))
    except OSError as error:
        raise InvalidRequest(
            f"the marked photo can't be written to {target}: {error.strerror or error}."
        ) from error


def _print(file: Path, result: PhotoAnswer | RaptError, *, as_json: bool) -> None:
    """Print an answer for people, or an answer or error for programs: a line a photo."""
    if as_json:
        click.echo(json.dumps({"file": click.format_filename(file), **_body(result)}))
    elif isinstance(result, PhotoAnswer):
        _print_table(file, result)


def _body(result: PhotoAnswer | RaptError) -> dict[str, Any]:
    if isinstance(result, RaptError):
        return {"error": result.message}
    return PhotoBody.of(result).model_dump(mode="json")


def _print_table(file: Path, answer: PhotoAnswer) -> None:
    title = f"{click.format_filename(file)} ({answer.width} x {answer.height})"
    if not answer.faces:
        click.echo(f"{title}: no face found")
        return
    click.echo(title)
    table = Table("face", "emotion", "confidence", "next", "box")
    for number, face in enumerate(answer.faces, start=1):
        box = face.detection.box
        place = f"{box.width:.0f} x {box.height:.0f} at {box.x:.0f}, {box.y:.0f}"
        second, share = face.ranking[1]
        table.add_row(
            str(number), face.emotion, f"{face.confidence:.0%}", f"{second} {share:.0%}", place
        )
    Console().print(table)
