"""Where inputs lie, and a real S3 server that they are read from."""

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from emotion.errors import InvalidRequest
from service.sources import Found, Location, Sources, allowed_location
from service.storage_errors import StorageUnavailable
from tests.s3_server import S3Server
from tests.service.inbox import Inbox


@pytest.mark.parametrize(
    ("uri", "location"),
    [
        ("s3://clips/a.mp4", Location("s3", "clips", "a.mp4")),
        ("gs://clips/in/", Location("gs", "clips", "in/")),
        ("az://clips/a b/%2e%2e/ä.mp4", Location("az", "clips", "a b/%2e%2e/ä.mp4")),
        ("s3://clips/", Location("s3", "clips", "")),
    ],
)
def test_a_uri_is_read_as_it_is_written(uri: str, location: Location) -> None:
    assert Location.of(uri) == location
    assert str(location) == uri


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "a.mp4",
        "/etc/passwd",
        "file:///etc/passwd",
        "http://127.0.0.1/a.mp4",
        "https://clips/a.mp4",
        "S3://clips/a.mp4",
        "s3://clips",
        "s3:///a.mp4",
        "s3://user@clips/a.mp4",
        "s3://clips:80/a.mp4",
        "s3://clips/../other/a.mp4",
        "s3://clips/a/./b",
        "s3://clips//a.mp4",
        "s3://clips/a//",
        "s3://clips/a\n.mp4",
        "s3://clips/a\0.mp4",
        "s3://clips/" + "a" * 2000,
    ],
)
def test_what_is_no_uri_of_a_plain_path_is_refused(uri: str) -> None:
    with pytest.raises(InvalidRequest, match=r"^uri: "):
        Location.of(uri)


@pytest.mark.parametrize(
    ("uri", "is_allowed"),
    [
        ("s3://clips/in/a.mp4", True),
        ("s3://clips/in/", True),
        ("s3://clips/in", False),
        ("s3://clips/in-evil/a.mp4", False),
        ("s3://clips/other/a.mp4", False),
        ("s3://clips-evil/in/a.mp4", False),
        ("gs://clips/in/a.mp4", False),
        ("s3://films/a.mp4", True),
        ("gs://shows/new", True),
        ("gs://shows/new/a.mp4", True),
        ("gs://shows/news.mp4", False),
    ],
)
def test_only_what_lies_below_a_prefix_is_allowed(uri: str, *, is_allowed: bool) -> None:
    prefixes = [Location.of(one) for one in ("s3://clips/in/", "s3://films/", "gs://shows/new")]
    if is_allowed:
        assert str(allowed_location(uri, prefixes)) == uri
    else:
        with pytest.raises(InvalidRequest, match="is not below any prefix that may be read here"):
            allowed_location(uri, prefixes)


def at(inbox: Inbox, key: str) -> Location:
    return Location.of(inbox.uri(key))


def test_an_object_is_found_and_read_from_any_byte_on(inbox: Inbox) -> None:
    inbox.put("in/a b ä%20.mp4", b"0123456789")
    sources = Sources()
    found = sources.find(at(inbox, "in/a b ä%20.mp4"))
    assert found.size == 10
    assert b"".join(sources.chunks(found)) == b"0123456789"
    assert b"".join(sources.chunks(found, 4)) == b"456789"
    assert b"".join(sources.chunks(found, 10)) == b""


def test_what_lies_below_a_prefix_is_listed_without_what_is_empty(inbox: Inbox) -> None:
    for key, content in {"in/a": b"a", "in/b/c": b"cc", "in/d": b"", "inn/e": b"e"}.items():
        inbox.put(key, content)
    found = sorted(Sources().below(at(inbox, "in/")), key=lambda one: one.location.key)
    assert [(one.location.name, one.size) for one in found] == [("a", 1), ("c", 2)]


class OddBucket(BaseHTTPRequestHandler):
    """A store with a key in it that its clients can't say; the real one here takes none."""

    def do_GET(self) -> None:
        listed = (
            "<ListBucketResult><Contents><Key>in//a</Key><Size>1</Size>"
            "<LastModified>2026-11-26T03:00:00.000Z</LastModified></Contents></ListBucketResult>"
        )
        body = listed.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_a_key_that_cant_be_listed_is_told(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    with HTTPServer(("127.0.0.1", 0), OddBucket) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
        with pytest.raises(InvalidRequest, match=r"^Below s3://bkt/in/ lies an object whose key "):
            list(Sources().below(Location.of("s3://bkt/in/")))
        server.shutdown()
        thread.join()


def test_what_was_changed_meanwhile_is_not_read(inbox: Inbox) -> None:
    inbox.put("a", b"old")
    sources = Sources()
    found = sources.find(at(inbox, "a"))
    inbox.put("a", b"new")
    with pytest.raises(InvalidRequest, match=r"/a was changed while it was read\. Send it again"):
        list(sources.chunks(found))


def test_what_is_not_there_is_told(inbox: Inbox) -> None:
    nowhere = Location("s3", "no-such-bucket", "a/")
    for ask in (
        lambda: Sources().find(at(inbox, "none.mp4")),
        lambda: list(Sources().chunks(Found(at(inbox, "none.mp4"), 3, ""))),
        lambda: list(Sources().below(nowhere)),
    ):
        with pytest.raises(InvalidRequest, match=r"^There is no s3://"):
            ask()


def test_what_may_not_be_read_is_told(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another")
    inbox.put("a", b"a")
    for ask in (
        lambda: Sources().find(at(inbox, "a")),
        lambda: list(Sources().below(at(inbox, "a/"))),
    ):
        with pytest.raises(InvalidRequest, match=r"may not be read.*AWS_ACCESS_KEY_ID"):
            ask()


def test_a_store_that_is_away_may_be_back_later_and_no_key_is_told(
    s3: S3Server, monkeypatch: pytest.MonkeyPatch, free_port: int
) -> None:
    for name, value in s3.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port}")
    with pytest.raises(StorageUnavailable) as caught:
        Sources().find(Location("s3", "clips", "secret.mp4"))
    assert str(caught.value).startswith("s3://clips doesn't answer: ")
    assert "secret" not in f"{caught.value} {caught.value.__cause__}"
