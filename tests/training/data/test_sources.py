import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import ClassVar

import obstore
import pytest

from tests.s3_server import OPEN_BUCKET, S3Server, s3_server
from training.data.sources import fetch, place_of
from training.errors import DatasetError

OBJECTS = {
    "fer/train/happy/a.png": b"a",
    "fer/train/happy/b.jpg": b"bb",
    "fer/test/sad/c ü.PNG": b"ccc",
    "fer/README.md": b"not read",
    "fer2013.csv": b"emotion,pixels,Usage\n",
    "notes/todo.txt": b"not read",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with s3_server(tmp_path_factory.mktemp("s3")) as running:
        running.make_bucket("faces", OBJECTS)
        running.make_bucket(OPEN_BUCKET, OBJECTS)
        yield running


@pytest.fixture
def s3(server: S3Server, monkeypatch: pytest.MonkeyPatch) -> S3Server:
    """The server, with the environment that reads from it."""
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    return server


def files_in(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def times_in(folder: Path) -> dict[str, int]:
    return {name: (folder / name).stat().st_mtime_ns for name in files_in(folder)}


def test_local_source_is_taken_as_it_is(tmp_path: Path) -> None:
    assert fetch("../data/fer2013", tmp_path) == Path("../data/fer2013")
    assert list(tmp_path.iterdir()) == []


def test_local_source_may_begin_at_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", "/somewhere")
    assert fetch("~/fer2013", tmp_path) == Path("/somewhere/fer2013")


@pytest.mark.parametrize("source", ["http://host/data", "s3://", "s3:///fer", "gs://B!/fer"])
def test_source_of_another_form_is_refused(source: str, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="give a local path, s3://BUCKET/PREFIX or gs://"):
        fetch(source, tmp_path)


def test_prefix_is_fetched_as_a_tree_of_what_can_be_read(s3: S3Server, tmp_path: Path) -> None:
    folder = fetch("s3://faces/fer", tmp_path)
    assert files_in(folder) == {
        "train/happy/a.png": b"a",
        "train/happy/b.jpg": b"bb",
        "test/sad/c ü.PNG": b"ccc",
    }


def test_prefix_may_end_in_a_slash(s3: S3Server, tmp_path: Path) -> None:
    assert len(files_in(fetch("s3://faces/fer/", tmp_path))) == 3


def test_bucket_may_be_fetched_whole(s3: S3Server, tmp_path: Path) -> None:
    assert len(files_in(fetch("s3://faces", tmp_path))) == 4


def test_one_object_is_fetched_as_a_file(s3: S3Server, tmp_path: Path) -> None:
    path = fetch("s3://faces/fer2013.csv", tmp_path)
    assert path.name == "fer2013.csv"
    assert path.read_bytes() == OBJECTS["fer2013.csv"]


def test_what_is_there_is_not_fetched_again(s3: S3Server, tmp_path: Path) -> None:
    before = times_in(fetch("s3://faces/fer", tmp_path))
    assert times_in(fetch("s3://faces/fer", tmp_path)) == before


def test_interrupted_fetch_goes_on_with_what_is_missing(s3: S3Server, tmp_path: Path) -> None:
    folder = fetch("s3://faces/fer", tmp_path)
    before = times_in(folder)
    journal = folder.parent / "fetched.jsonl"
    # As a process leaves it that was killed in the middle of a line.
    lines = journal.read_text().splitlines()
    journal.write_text("\n".join(lines[:-1]) + "\n" + lines[-1][:9])
    lost = json.loads(lines[-1])[0].removeprefix("fer/")
    assert fetch("s3://faces/fer", tmp_path) == folder
    after = times_in(folder)
    assert {name for name in before if before[name] != after[name]} == {lost}
    assert fetch("s3://faces/fer", tmp_path) == folder
    assert times_in(folder) == after


def test_shortened_file_is_fetched_again(s3: S3Server, tmp_path: Path) -> None:
    folder = fetch("s3://faces/fer", tmp_path)
    (folder / "train/happy/b.jpg").write_bytes(b"b")
    fetch("s3://faces/fer", tmp_path)
    assert (folder / "train/happy/b.jpg").read_bytes() == b"bb"


def test_changed_object_is_fetched_and_a_removed_one_is_removed(
    s3: S3Server, tmp_path: Path
) -> None:
    s3.make_bucket("changing", {"fer/a.png": b"one", "fer/b.png": b"same", "fer/c.png": b"gone"})
    folder = fetch("s3://changing/fer", tmp_path)
    before = times_in(folder)
    s3.make_bucket("changing", {"fer/a.png": b"two"})
    obstore.delete(s3.store("changing"), "fer/c.png")
    fetch("s3://changing/fer", tmp_path)
    assert files_in(folder) == {"a.png": b"two", "b.png": b"same"}
    assert times_in(folder)["b.png"] == before["b.png"]


def test_no_draft_is_left_behind(s3: S3Server, tmp_path: Path) -> None:
    folder = fetch("s3://faces/fer", tmp_path)
    assert {path.name for path in folder.parent.iterdir()} == {".lock", "objects", "fetched.jsonl"}


@pytest.mark.parametrize(
    ("variable", "value"),
    [("AWS_SECRET_ACCESS_KEY", "wrong"), ("AWS_ACCESS_KEY_ID", "nobody")],
)
def test_wrong_credentials_are_an_error_that_says_so(
    s3: S3Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(DatasetError) as caught:
        fetch("s3://faces/fer", tmp_path)
    assert str(caught.value) == (
        "s3://faces/fer: access is refused. "
        "Check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment"
    )


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("s3://nothing-here/fer", "there is no bucket nothing-here"),
        ("s3://faces/empty", r"nothing to read under this prefix \(bmp, csv, heic, jpeg"),
        ("s3://faces/notes", "nothing to read under this prefix"),
        ("s3://faces/other.csv", "there is no such object"),
    ],
)
def test_source_that_is_not_there_is_an_error_that_says_so(
    s3: S3Server, tmp_path: Path, source: str, message: str
) -> None:
    with pytest.raises(DatasetError, match=f"^{source}: {message}"):
        fetch(source, tmp_path)


def test_store_that_does_not_answer_is_an_error_of_one_line(
    s3: S3Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(DatasetError, match="the store doesn't answer") as caught:
        fetch("s3://faces/fer", tmp_path)
    assert "\n" not in str(caught.value)


def test_place_that_cannot_be_written_is_an_error(s3: S3Server, tmp_path: Path) -> None:
    (tmp_path / "cache").write_bytes(b"a file where the folder should be")
    with pytest.raises(DatasetError, match="can't be kept in"):
        fetch("s3://faces/fer", tmp_path / "cache")


@pytest.fixture
def google(s3: S3Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The environment in which Google's client reads from the server, signing nothing."""
    account = {
        "gcs_base_url": f"http://127.0.0.1:{s3.port}",
        "disable_oauth": True,
        "client_email": "",
        "private_key": "",
        "private_key_id": "",
    }
    path = tmp_path / "account.json"
    path.write_text(json.dumps(account))
    monkeypatch.setenv("GOOGLE_SERVICE_ACCOUNT", str(path))


def test_googles_store_is_fetched_too(google: None, tmp_path: Path) -> None:
    folder = fetch(f"gs://{OPEN_BUCKET}/fer", tmp_path / "cache")
    assert files_in(folder)["train/happy/a.png"] == b"a"
    assert len(files_in(folder)) == 3


def test_googles_store_may_refuse(google: None, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"refused\. Check GOOGLE_APPLICATION_CREDENTIALS in"):
        fetch("gs://faces/fer", tmp_path / "cache")


@pytest.mark.parametrize("key", ["a.png", "train/happy/a b.png", "ü/x.csv", "..a/b..c.png"])
def test_plain_key_is_kept_under_its_name(key: str, tmp_path: Path) -> None:
    assert place_of(key, tmp_path) == tmp_path / key


@pytest.mark.parametrize(
    "key",
    [
        "../a.png", "train/../../a.png", "/etc/a.png", "a//b.png", "./a.png", "a/.", "",
        "a\\..\\b.png", "C:\\a.png", "a\0.png", "a\n.png", "\u202egnp.a", "x" * 300 + ".png",
    ],
)  # fmt: skip
def test_key_that_is_no_plain_path_is_refused(key: str, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no plain path; rename the object") as caught:
        place_of(key, tmp_path)
    assert str(caught.value).isprintable()


class HostileStore(BaseHTTPRequestHandler):
    """Answers every listing with one object, whose key it is told."""

    key: ClassVar[str] = ""

    def do_GET(self) -> None:
        content = f"""<?xml version="1.0"?><ListBucketResult><Name>faces</Name>
            <IsTruncated>false</IsTruncated><Contents><Key>{self.key}</Key><Size>4</Size>
            <LastModified>2026-11-24T00:00:00.000Z</LastModified><ETag>"x"</ETag></Contents>
            </ListBucketResult>""".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its own signature
        pass


@pytest.mark.parametrize("key", ["fer/../../../evil.png", "../evil.png", "fer//evil.png"])
def test_store_cannot_write_outside_of_the_cache(
    key: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(HostileStore, "key", key)
    with ThreadingHTTPServer(("127.0.0.1", 0), HostileStore) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "reader")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        try:
            with pytest.raises(DatasetError):
                fetch("s3://faces/fer", tmp_path / "a" / "b" / "cache")
        finally:
            server.shutdown()
            thread.join()
    assert files_in(tmp_path) == {}


def test_object_that_changed_while_it_was_fetched_is_an_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The hostile store says 4 bytes and sends its listing in their place."""
    monkeypatch.setattr(HostileStore, "key", "fer/a.png")
    with ThreadingHTTPServer(("127.0.0.1", 0), HostileStore) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "reader")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        try:
            with pytest.raises(DatasetError, match=r"fer/a\.png"):
                fetch("s3://faces/fer", tmp_path)
        finally:
            server.shutdown()
            thread.join()
    assert not list(tmp_path.rglob("*.png"))
