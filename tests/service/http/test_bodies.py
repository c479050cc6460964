from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message

from emotion.errors import ImageTooLarge, InvalidRequest, Overloaded, UnsupportedImage
from service.admission import Admission, Slot
from service.http.bodies import read_photo, read_photos
from tests.service.http.client import MULTIPART, form

JPEG = "image/jpeg"
BIG = b"x" * 3_000_000  # More than the 1 MB that Starlette keeps in memory.


class Sender:
    """A request whose body comes in chunks; counts those that were taken."""

    def __init__(
        self,
        kind: str | None,
        *chunks: bytes,
        length: str | None = None,
        hangs_up: bool = False,
    ) -> None:
        self.taken = 0
        self._hangs_up = hangs_up
        self._chunks = chunks
        headers = [(b"content-type", kind.encode())] if kind is not None else []
        if length is not None:
            headers.append((b"content-length", length.encode()))
        scope = {"type": "http", "method": "POST", "path": "/", "headers": headers}
        self.request = Request(scope, self._receive)

    async def _receive(self) -> Message:
        if self.taken == len(self._chunks):
            return {"type": "http.disconnect"}
        chunk = self._chunks[self.taken]
        self.taken += 1
        more = self._hangs_up or self.taken < len(self._chunks)
        return {"type": "http.request", "body": chunk, "more_body": more}


@pytest.fixture
def slot() -> Iterator[Slot]:
    with slot_for(max_bytes=10_000_000) as one:
        yield one


@contextmanager
def slot_for(max_bytes: int) -> Iterator[Slot]:
    with Admission(max_in_flight=1, max_bytes=max_bytes, deadline_seconds=9).admit() as slot:
        yield slot


@pytest.mark.parametrize(
    "kind", [JPEG, "IMAGE/PNG", "image/x-unknown; q=1", "application/octet-stream"]
)
async def test_raw_bytes_are_taken_as_they_are(kind: str, slot: Slot) -> None:
    sender = Sender(kind, b"pho", b"to")
    assert await read_photo(sender.request, slot, max_bytes=5) == b"photo"
    assert slot.held == 5


async def test_a_form_with_one_photo_is_taken(slot: Slot) -> None:
    body = form(("photo", "me.jpg", b"photo"))
    sender = Sender(MULTIPART, body[:40], body[40:])
    assert await read_photo(sender.request, slot, max_bytes=100) == b"photo"


async def test_a_batchs_photos_keep_their_order_and_may_be_empty(slot: Slot) -> None:
    body = form(("photo", "b", b"1"), ("photo", "a", b""), ("photo", "c", BIG))
    photos = await read_photos(
        Sender(MULTIPART, body).request, slot, max_photos=3, max_bytes=len(BIG) + 1
    )
    assert photos == [b"1", b"", BIG]


@pytest.mark.parametrize("kind", [None, "", "text/plain", "application/json", "imagejpeg"])
async def test_another_content_type_is_refused_and_nothing_is_read(
    kind: str | None, slot: Slot
) -> None:
    sender = Sender(kind, b"photo")
    with pytest.raises(UnsupportedImage, match=f"Content-Type {kind or '[(]none[)]'} is not"):
        await read_photo(sender.request, slot, max_bytes=5)
    assert sender.taken == 0


async def test_a_batch_is_a_form(slot: Slot) -> None:
    with pytest.raises(UnsupportedImage, match="multipart/form-data"):
        await read_photos(Sender(JPEG, b"photo").request, slot, max_photos=3, max_bytes=9)


async def test_a_body_is_refused_at_its_first_byte_too_many(slot: Slot) -> None:
    sender = Sender(JPEG, b"123", b"456", b"789")
    with pytest.raises(ImageTooLarge, match="larger than the 5 bytes"):
        await read_photo(sender.request, slot, max_bytes=5)
    assert sender.taken == 2


async def test_a_body_that_says_it_is_too_large_is_not_read(slot: Slot) -> None:
    sender = Sender(JPEG, b"123", length="6")
    with pytest.raises(ImageTooLarge):
        await read_photo(sender.request, slot, max_bytes=5)
    assert sender.taken == 0


@pytest.mark.parametrize("length", ["-1", "five", "²"])
async def test_a_length_that_is_none_does_not_count(length: str, slot: Slot) -> None:
    sender = Sender(JPEG, b"12345", length=length)
    assert await read_photo(sender.request, slot, max_bytes=5) == b"12345"


async def test_a_form_is_counted_while_it_is_read(slot: Slot) -> None:
    body = form(("photo", "a", BIG))
    chunks = [body[start : start + 65536] for start in range(0, len(body), 65536)]
    sender = Sender(MULTIPART, *chunks)
    with pytest.raises(ImageTooLarge):
        await read_photo(sender.request, slot, max_bytes=1000)
    assert sender.taken == 2


async def test_what_is_read_counts_against_what_all_requests_may_hold() -> None:
    with slot_for(max_bytes=4) as slot, pytest.raises(Overloaded):
        await read_photo(Sender(JPEG, b"123", b"45").request, slot, max_bytes=9)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (form(), "has no whole file named 'photo'"),
        (form(("picture", "a", b"1")), "has a field 'picture'"),
        (form(("photo", None, b"1")), "Too many fields"),
        (form(("photo", "a", b"1"), ("photo", "b", b"2")), "Too many files"),
        (form(("photo", "a", b"1"), ("note", None, b"2")), "Too many fields"),
        (b"no form at all", "must hold files named 'photo' and nothing else, at most 1"),
        (b"", "has no whole file named 'photo'"),
    ],
)
async def test_a_form_that_is_not_as_asked_is_told_why(body: bytes, why: str, slot: Slot) -> None:
    with pytest.raises(InvalidRequest, match=why):
        await read_photo(Sender(MULTIPART, body).request, slot, max_bytes=99)


async def test_a_form_without_a_boundary_is_refused(slot: Slot) -> None:
    sender = Sender("multipart/form-data", form(("photo", "a", b"1")))
    with pytest.raises(InvalidRequest, match="boundary"):
        await read_photo(sender.request, slot, max_bytes=99)


async def test_more_photos_than_a_batch_takes_are_refused(slot: Slot) -> None:
    body = form(*[("photo", "a", b"1")] * 3)
    with pytest.raises(InvalidRequest, match="at most 2 here"):
        await read_photos(Sender(MULTIPART, body).request, slot, max_photos=2, max_bytes=99)


@pytest.mark.parametrize("kind", [JPEG, MULTIPART])
async def test_a_client_that_hangs_up_is_told_of_and_not_taken_for_a_bad_one(
    kind: str, slot: Slot
) -> None:
    sender = Sender(kind, form(("photo", "a", b"1"))[:50], hangs_up=True)
    with pytest.raises(ClientDisconnect):
        await read_photo(sender.request, slot, max_bytes=99)


async def test_a_large_photo_of_a_form_stays_in_memory(
    slot: Slot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        pytest.fail("a photo was moved to a file")

    monkeypatch.setattr("tempfile.TemporaryFile", fail)
    body = form(("photo", "a", BIG))
    photo = await read_photo(Sender(MULTIPART, body).request, slot, max_bytes=len(BIG))
    assert photo == BIG
