"""Real clips through the real models: what the reports say is what can be seen."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from service.command_line import main

pytestmark = pytest.mark.shared_data


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No model of this machine's own."""
    monkeypatch.setenv("RAPT_HOME", str(tmp_path / "home"))
    return tmp_path


def report_of(name: str, shared_data: Path, home: Path) -> dict[str, Any]:
    target = home / "report.json"
    arguments = ["video", str(shared_data / "videos" / name), "--report", str(target)]
    result = CliRunner().invoke(main, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    content: dict[str, Any] = json.loads(target.read_text())
    return content


def test_a_smile_is_seen_to_come(shared_data: Path, home: Path) -> None:
    report = report_of("single_face.mp4", shared_data, home)
    (face,) = report["faces"]
    told = [[emotion for _, emotion in faces] for _, faces in report["timeline"]]
    assert told == [["neutral"], ["neutral"], ["neutral"], ["happy"], ["happy"]]
    assert face["engagement"]["facing"] == 1.0


def test_nobody_is_seen_where_nobody_is(shared_data: Path, home: Path) -> None:
    report = report_of("no_face.mp4", shared_data, home)
    assert (report["faces"], report["key_moments"]) == ([], [])
    assert [faces for _, faces in report["timeline"]] == [[]] * 8


def test_a_face_ends_with_its_shot(shared_data: Path, home: Path) -> None:
    report = report_of("face_then_none.mov", shared_data, home)
    (face,) = report["faces"]
    assert report["video"]["cuts"] == [2.4]
    assert (face["first_seen"], face["last_seen"]) == (0.0, 2.0)


def test_nobody_is_followed_across_a_cut(shared_data: Path, home: Path) -> None:
    report = report_of("shot_cuts.mp4", shared_data, home)
    cuts = report["video"]["cuts"]
    assert cuts == [1.511, 3.58, 7.884]
    for face in report["faces"]:
        assert not any(face["first_seen"] < cut <= face["last_seen"] for cut in cuts)
    singer = [face for face in report["faces"] if 3.58 <= face["first_seen"] < 7.884]
    assert [face["frames"] for face in singer] == [8]
    audience = [face for face in report["faces"] if face["first_seen"] >= 7.884]
    assert len(audience) == 5


def test_people_in_the_street_are_followed(shared_data: Path, home: Path) -> None:
    report = report_of("street_many_faces.mp4", shared_data, home)
    assert all(3 <= len(faces) <= 9 for _, faces in report["timeline"])
    assert 8 <= len(report["faces"]) <= 16


# Where the middle of a face is in the street, at every time at which it is in full view: the man
# with red hair, the boy in a blue hoodie, the woman with white hair, a woman in a white coat, one
# with a telephone, a man with white hair and one with glasses who hide each other, a woman in red
# who is hidden for three seconds, and two who walk by in front: she is never less than five faces
# further, so she is three.
STREET: dict[str, list[tuple[int, int] | None]] = {
    "man": [
        (701, 592),
        (763, 613),
        (683, 622),
        (658, 678),
        (603, 677),
        (563, 672),
        (543, 670),
        (489, 632),
        (429, 634),
    ],
    "boy": [
        (949, 675),
        (989, 708),
        (1015, 740),
        (1040, 769),
        (984, 768),
        (958, 739),
        (886, 726),
        (837, 736),
        (789, 734),
    ],
    "white hair": [
        None,
        (324, 704),
        (307, 713),
        (270, 719),
        (242, 718),
        (237, 712),
        (224, 707),
        (250, 714),
    ],
    "coat": [(487, 629), (504, 652), (515, 680)],
    "telephone": [None, None, None, (1383, 734), (1382, 738), (1374, 737)],
    "white-haired man": [
        (1106, 639),
        (1126, 663),
        (1108, 689),
        None,
        (1108, 693),
        (1093, 702),
        (1112, 696),
        None,
        (1140, 693),
    ],
    "glasses": [*[None] * 4, (1158, 727), (1158, 720), (1203, 714), (1183, 714), (1210, 722)],
    "red": [None, (929, 675), (948, 698), *[None] * 5, (933, 707)],
    "passes left": [(337, 773)],
    "passes the middle": [None, (809, 799)],
    "passes the columns": [None, None, (1270, 841)],
    "passes right": [(1493, 553)],
}


def test_people_in_full_view_keep_their_ids_in_a_crowd(shared_data: Path, home: Path) -> None:
    target = home / "report.csv"
    clip = str(shared_data / "videos" / "street_many_faces.mp4")
    result = CliRunner().invoke(main, ["video", clip, "--report", str(target)])
    assert result.exit_code == 0, result.output
    with target.open(newline="") as file:
        rows = list(csv.DictReader(file))
    times = sorted({float(row["time"]) for row in rows})
    ids = {person: set[str]() for person in STREET}
    for person, places in STREET.items():
        for time, place in zip(times, places, strict=False):
            if place is not None:
                ids[person].add(id_at(place, [row for row in rows if float(row["time"]) == time]))
    assert [len(found) for found in ids.values()] == [1] * len(STREET)
    assert len(set[str]().union(*ids.values())) == len(STREET)


def id_at(place: tuple[int, int], rows: list[dict[str, str]]) -> str:
    """Return the id of the one face in whose middle this place is."""
    (found,) = [
        row["face_id"]
        for row in rows
        if all(
            abs(float(row[start]) + float(row[extent]) / 2 - where) < float(row[extent]) / 4
            for start, extent, where in zip("xy", ("width", "height"), place, strict=True)
        )
    ]
    return found
