"""Drawn videos and real models."""

from dataclasses import replace
from pathlib import Path

import pytest

from emotion.errors import ContractMismatch, UndecodableVideo
from emotion.faces import ModelVersion
from emotion.video.decoding import never
from service.jobs.analysis import InlineAnalyses
from service.jobs.job import Job
from service.jobs.late_analyses import LateAnalyses
from service.jobs.opened import OpenedFolder
from service.settings import Settings
from tests.clips import steady, walking, write_clip
from tests.service.jobs.conftest import MakeVideo
from tests.service.jobs.fake_analyses import FakeAnalyses, fake_video


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clips")
    # An upload has no suffix.
    return write_clip(folder / "clip.mp4", walking(40), steady(10, 4)).rename(folder / "source")


@pytest.fixture
def video(queued: MakeVideo) -> Job:
    return replace(queued("a"), settings={"interval": 0.5, "segment_seconds": 2.0})


def test_a_video_is_looked_at_in_segments_and_reported_in_all_forms(clip: Path, video: Job) -> None:
    analysis = InlineAnalyses(Settings(detector_precision="f32")).open_video(clip, video, never)
    assert analysis.segment_count == 2
    payloads = [analysis.analyse(number, never) for number in range(2)]
    assert analysis.analyse(0, never) == payloads[0]
    reports = analysis.report(payloads)
    assert list(reports) == ["json", "csv", "html"]
    assert reports["csv"].count(b"happy") == 1 + 8
    assert analysis.report(payloads) == reports
    assert analysis.model.version.encode() in reports["json"]


def test_a_video_is_read_from_wherever_it_is_kept(
    clip: Path, video: Job, folder: OpenedFolder
) -> None:
    analyses = InlineAnalyses(Settings(detector_precision="f32"))
    expected = analyses.open(clip, video, never).analyse(1, never)
    folder.store.write(video.source, clip.read_bytes())
    with folder.store.as_local_file(video.source) as path:
        assert analyses.open(path, video, never).analyse(1, never) == expected


def test_models_are_kept_for_the_next_video_of_the_same_settings(clip: Path, video: Job) -> None:
    analyses = InlineAnalyses(Settings(detector_precision="f32"))
    first = analyses.open_video(clip, video, never)
    again = analyses.open_video(clip, replace(video, model=first.model), never)
    assert again.analyser is first.analyser
    other = replace(video, settings={"interval": 1.0, "segment_seconds": 2.0})
    assert analyses.open_video(clip, other, never).analyser is not first.analyser


def test_a_model_that_is_gone_is_told(clip: Path, video: Job) -> None:
    began_with = ModelVersion("emotion_classifier", "long ago")
    with pytest.raises(ContractMismatch, match=r"any more, and work began with it\.$"):
        InlineAnalyses(Settings()).open(clip, replace(video, model=began_with), never)


def test_analyses_are_made_once_and_not_before_they_are_needed(tmp_path: Path, video: Job) -> None:
    made: list[FakeAnalyses] = []

    def make() -> FakeAnalyses:
        made.append(FakeAnalyses())
        return made[-1]

    late = LateAnalyses(make)
    assert made == []
    (tmp_path / "source").write_bytes(fake_video(segments=7))
    assert late.open(tmp_path / "source", video, never).segment_count == 7
    (tmp_path / "source").write_bytes(b"text")
    with pytest.raises(UndecodableVideo):
        late.open(tmp_path / "source", video, never)
    assert len(made) == 1
