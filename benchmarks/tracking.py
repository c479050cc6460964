"""``python -m benchmarks.tracking``: how well faces are told apart over time.

IDF1 on seeded scenes of faces on known paths, with the detector's faults drawn, and on a clip that
is rendered, encoded, decoded and searched by the detector that serves. A face that the detector
misses counts against the tracker.
"""

import math
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import click
from tqdm import tqdm

from benchmarks.clips import background, face_box, grainy, head, paste, write_clip
from benchmarks.identity import IdentityCount, count_identities, overlap
from benchmarks.measured import results_option, write_figures
from benchmarks.walking_faces import HEIGHT, WIDTH, scene
from emotion.faces import Box
from emotion.image import RgbImage
from emotion.video.observations import SampledFrame
from emotion.video.probe import probe
from emotion.video.settings import VideoLimits, VideoSettings, segments
from emotion.video.tracking import track_faces
from service.models.served import choose_classifier
from service.settings import load_settings
from service.stages.inline_video import video_analyser

_INTERVALS = (0.5, 0.2, 0.1)
_SCENES = 20
_RATE, _SECONDS = 25, 24
_SIZE = (960, 540)
# So much of a face hides it.
_COVERED = 0.4


@dataclass(frozen=True, slots=True)
class _Head:
    """A head that swings from side to side: where its middle is, how far and how fast it goes."""

    width: int
    middle: tuple[int, int]
    reach: int
    period: float
    phase: float

    def place(self, time: float) -> tuple[int, int]:
        """Return the left top corner of its picture."""
        swing = math.sin(2 * math.pi * (time / self.period + self.phase))
        return round(self.middle[0] + self.reach * swing - self.width / 2), self.middle[1]


# The first two cross every four seconds; at most at 0.8 of a face's width a second each.
_HEADS = (
    _Head(150, (480, 120), 230, 16.0, 0.0),
    _Head(120, (470, 170), 180, 16.0, 0.5),
    _Head(110, (800, 330), 60, 12.0, 0.2),
)


def drawn(interval: float, scenes: int) -> IdentityCount:
    """Track the faces of drawn scenes."""
    total = IdentityCount(0, 0, 0)
    for seed in tqdm(range(scenes), desc=f"scenes at {interval} s", leave=False):
        one = scene(seed, interval)
        numbers = track_faces(one.frames, (), (WIDTH, HEIGHT), VideoSettings().min_score)
        total += count_identities(one.truth, one.frames, numbers)
    return total


def rendered(clip: Path, interval: float) -> IdentityCount:
    """Track the faces that the detector finds in the rendered clip."""
    settings, limits = VideoSettings(interval), VideoLimits()
    service = load_settings()
    served = choose_classifier(service.model_repositories, service.max_batch)
    analyser = video_analyser(served.classifier, service, limits, settings)
    frames: list[SampledFrame] = []
    for segment in segments(probe(clip, limits), settings):
        frames += analyser.analyse_segment(clip, segment).frames
    numbers = track_faces(frames, (), _SIZE, settings.min_score)
    return count_identities([_truth(frame.time) for frame in frames], frames, numbers)


def _truth(time: float) -> dict[int, Box]:
    """Return who can be seen: a nearer face, which is drawn later, hides what is behind."""
    boxes = {
        number: face_box(head(one.width), *one.place(time)) for number, one in enumerate(_HEADS)
    }
    nearer = sorted(boxes, key=lambda number: _HEADS[number].width, reverse=True)
    seen: dict[int, Box] = {}
    for number in nearer:
        box = boxes[number]
        if all(overlap(box, other) / box.area < _COVERED for other in seen.values()):
            seen[number] = box
    return seen


def _pictures() -> list[RgbImage]:
    scenery = background(*_SIZE)
    heads = [(one, head(one.width)) for one in sorted(_HEADS, key=lambda one: one.width)]
    pictures = []
    for count in range(_RATE * _SECONDS):
        canvas = scenery.copy()
        for one, picture in heads:
            paste(canvas, picture, *one.place(count / _RATE))
        pictures.append(canvas)
    return pictures


@click.command()
@click.option("--scenes", default=_SCENES, show_default=True, help="How many are drawn.")
@results_option
def main(scenes: int, results: Path) -> None:
    """Print IDF1 at three sampling intervals, and write the figures as JSON."""
    figures = []
    click.echo(f"{'interval':>8}{'drawn':>10}{'rendered':>10}")
    with TemporaryDirectory() as folder:
        clip = Path(folder) / "heads.mp4"
        write_clip(clip, grainy(_pictures()), _RATE)
        for interval in _INTERVALS:
            one, other = drawn(interval, scenes), rendered(clip, interval)
            click.echo(f"{interval:>8}{one.idf1:>10.3f}{other.idf1:>10.3f}")
            figures.append({"interval": interval, "drawn": one.idf1, "rendered": other.idf1})
    write_figures(results, "tracking", {"idf1": figures})


if __name__ == "__main__":
    main()
