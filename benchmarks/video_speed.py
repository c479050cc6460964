"""``python -m benchmarks.video_speed``: how fast a video is analysed, and in how much memory.

Each clip goes through ``rapt video`` in a process of its own, as people call it; the time that
starting takes (libraries and models, measured on a clip of one frame) is told apart. Memory is the
most that the process ever held. The long clip is a minute of the short one, thirty times over, so
that only length differs. The others are analysed at other intervals, too.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import av
import click

from benchmarks.clips import background, grainy, head, paste, write_clip
from benchmarks.measured import results_option, write_figures
from emotion.image import RgbImage
from emotion.video.probe import probe
from emotion.video.settings import VideoLimits

_STREET = Path("../shared/data/videos/street_many_faces.mp4")
_RATE, _SIZE = 30, (640, 360)
_MINUTE, _LONG = 60, 30
_INTERVALS = (0.1, 0.5, 2.0)
_MEBIBYTE = 2**20
_KIBIBYTE = 2**10


@dataclass(frozen=True, slots=True)
class VideoCost:
    """What a video costs.

    Attributes:
        name: of the clip.
        seconds: of play time.
        wall: seconds that it took, without starting.
        cpu: seconds of processor time of all threads, without starting.
        memory: most resident bytes, starting included.
    """

    name: str
    seconds: float
    wall: float
    cpu: float
    memory: int

    @property
    def speed(self) -> float:
        """Seconds of video a second."""
        return self.seconds / self.wall


def measure(name: str, clip: Path, interval: float, started: "VideoCost | None") -> VideoCost:
    """Run the command line on a clip, on its own."""
    command = [sys.executable, "-m", "service.command_line", "video", str(clip)]
    options = ["--interval", str(interval), "--report", str(clip.with_suffix(".json"))]
    began = time.monotonic()
    process = subprocess.Popen([*command, *options], stdout=subprocess.DEVNULL)  # noqa: S603  # our own words
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise click.ClickException(f"{name}: rapt video ended with {process.returncode}.")
    cpu = usage.ru_utime + usage.ru_stime
    if started is not None:
        wall, cpu = wall - started.wall, cpu - started.cpu
    seconds = probe(clip, VideoLimits()).duration
    return VideoCost(name, seconds, wall, cpu, usage.ru_maxrss * _KIBIBYTE)


def talking_heads(seconds: int) -> Iterator[RgbImage]:
    """Draw two heads that sway before a background."""
    scenery = background(*_SIZE)
    pictures = [head(150), head(110)]
    for count in range(seconds * _RATE):
        canvas = scenery.copy()
        sway = round(20 * abs((count % 60) / 30 - 1))
        paste(canvas, pictures[0], 90 + sway, 90)
        paste(canvas, pictures[1], 400 - sway, 120)
        yield canvas


def repeated(clip: Path, times: int, target: Path) -> None:
    """Write a clip several times over, without coding it again."""
    with av.open(str(clip)) as source, av.open(str(target), "w") as out:
        stream = source.streams.video[0]
        copy = out.add_stream_from_template(stream)
        packets = [packet for packet in source.demux(stream) if packet.size]
        length = sum(packet.duration or 0 for packet in packets)
        for turn in range(times):
            for packet in packets:
                again = av.Packet(bytes(packet))
                again.stream, again.time_base = copy, packet.time_base
                again.pts = (packet.pts or 0) + turn * length
                again.dts = (packet.dts or 0) + turn * length
                again.duration, again.is_keyframe = packet.duration, packet.is_keyframe
                out.mux(again)


def as_rows(costs: list[VideoCost]) -> list[str]:
    """Return the table's lines."""
    head_row = (
        f"{'clip':<24}{'length s':>9}{'x real time':>12}{'wall s a minute':>16}"
        f"{'CPU s a minute':>15}{'peak MiB':>9}"
    )
    rows = [
        f"{one.name:<24}{one.seconds:>9.1f}{one.speed:>12.1f}"
        f"{60 * one.wall / one.seconds:>16.1f}{60 * one.cpu / one.seconds:>15.1f}"
        f"{one.memory / _MEBIBYTE:>9.0f}"
        for one in costs
    ]
    return [head_row, *rows]


def at_intervals(clips: Mapping[str, Path], started: VideoCost) -> list[dict[str, Any]]:
    """Return what each clip costs at each interval, as it is kept."""
    return [
        {**asdict(measure(name, clip, interval, started)), "interval": interval}
        for interval in _INTERVALS
        for name, clip in clips.items()
    ]


def interval_row(one: Mapping[str, Any]) -> str:
    """Return a line of what a clip costs at an interval."""
    minute = _MINUTE * one["cpu"] / one["seconds"]
    return f"{one['name']:<24}{one['interval']:>9} s{minute:>15.1f} CPU s a minute"


@click.command()
@click.option("--interval", default=0.5, show_default=True, help="Seconds between samples.")
@results_option
def main(interval: float, results: Path) -> None:
    """Print speed, cost and memory, and write the figures as JSON."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        still, minute, long = (folder / f"{one}.mp4" for one in ("still", "minute", "long"))
        write_clip(still, [background(*_SIZE)], _RATE)
        write_clip(minute, grainy(talking_heads(_MINUTE)), _RATE, bf="0")
        repeated(minute, _LONG, long)
        clips = {"640x360, two faces": minute, "the same, 30 minutes": long}
        if _STREET.exists():
            street = folder / "street.mp4"
            repeated(_STREET, 7, street)
            clips["1080p street, 8 faces"] = street
        started = measure("starting", still, interval, None)
        costs = [measure(one, clip, interval, started) for one, clip in clips.items()]
        others = {name: clip for name, clip in clips.items() if clip != long}
        intervals = at_intervals(others, started)
    click.echo("\n".join(as_rows(costs)))
    click.echo(f"Starting takes {started.wall:.1f} s, {started.cpu:.1f} s of CPU, and is left out.")
    short, long_cost = costs[:2]
    click.echo(
        f"Thirty minutes against one: memory {long_cost.memory / short.memory:.2f}, "
        f"CPU a minute {long_cost.cpu / long_cost.seconds / (short.cpu / short.seconds):.2f}."
    )
    click.echo("\n".join(interval_row(one) for one in intervals))
    write_figures(results, "video_speed", {"videos": [asdict(one) for one in costs]})
    write_figures(results, "video_intervals", {"videos": intervals})


if __name__ == "__main__":
    main()
