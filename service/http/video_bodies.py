"""A video in a request's body: passed on as it arrives, never held whole."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.datastructures import Headers
from starlette.requests import Request

from emotion.errors import InvalidRequest, UnsupportedVideo

FIELD = "video"
_MULTIPART = "multipart/form-data"
_RAW_PREFIX, _RAW_UNTYPED = "video/", "application/octet-stream"
_FRAMING = 64 * 1024  # Bytes of multipart boundaries and headers allowed beside the video.
_MOST_NAME = 255


@dataclass(frozen=True, slots=True)
class VideoBody:
    """A video on its way.

    Attributes:
        chunks: its bytes, as they arrive.
        announced: how many there will be, about; None where the caller doesn't say.
        name: the file's, as the form calls it.
    """

    chunks: AsyncIterator[bytes]
    announced: int | None
    name: str | None


async def read_video(request: Request) -> VideoBody:
    """Begin to read a video: a raw body of type video/*, or the multipart field ``video``.

    Reads no more than it takes to know where the video begins.

    Raises:
        UnsupportedVideo: another content type, or a compressed body.
        InvalidRequest: the form has no video, or something else before it.
    """
    if request.headers.get("content-encoding", "identity") != "identity":
        raise UnsupportedVideo("Compressed bodies are not read: videos are compressed already.")
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    length = request.headers.get("content-length", "")
    announced = int(length) if length.isascii() and length.isdecimal() else None
    if kind == _MULTIPART:
        form = _Form(request.stream(), request.headers)
        await form.find_video()
        at_least = None if announced is None else max(0, announced - _FRAMING)
        return VideoBody(form.chunks(), at_least, form.name)
    if not (kind.startswith(_RAW_PREFIX) or kind == _RAW_UNTYPED):
        raise UnsupportedVideo(
            f"Content-Type {kind or '(none)'} is not a video's. Send the video's bytes as "
            f"video/mp4 (or its own type), or a {_MULTIPART} form with the field {FIELD!r}."
        )
    return VideoBody(request.stream(), announced, None)


class _Form:
    """A multipart form of one file, read while it arrives.

    Attributes:
        name: the file's, once it is found.
    """

    def __init__(self, stream: AsyncIterator[bytes], headers: Headers) -> None:
        _, options = parse_options_header(headers["content-type"])
        if b"boundary" not in options:
            raise InvalidRequest(
                f"The form's Content-Type names no boundary (curl -F {FIELD}=@FILE)."
            )
        self._parser = MultipartParser(
            options[b"boundary"],
            {
                "on_header_field": self._on_header_field,
                "on_header_value": self._on_header_value,
                "on_header_end": self._on_header_end,
                "on_headers_finished": self._on_headers_finished,
                "on_part_data": self._on_part_data,
                "on_end": self._on_end,
            },
        )
        self._stream = stream
        self._field = self._value = b""
        self._disposition = b""
        self._arrived: list[bytes] = []
        self._read = self._passed_on = 0
        self._parts = 0
        self._ended = False
        self.name: str | None = None

    async def find_video(self) -> None:
        """Read on until the video's first byte could come."""
        while not self._parts:
            if not await self._read_on():
                raise _no_video("It ends before there is one.")

    async def chunks(self) -> AsyncIterator[bytes]:
        """Pass the video's bytes on.

        Raises:
            InvalidRequest: the form ends early, or has something else beside the video.
        """
        reading = True
        while reading:
            arrived, self._arrived = self._arrived, []
            for chunk in arrived:
                self._passed_on += len(chunk)
                yield chunk
            reading = await self._read_on()
        if not self._ended:
            raise _no_video("It ends in the middle.")

    async def _read_on(self) -> bool:
        """Read the next piece of the body; return whether there was one."""
        chunk = await anext(self._stream, None)
        if chunk is None:
            return False
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise _no_video(f"It can't be read: {error}") from error
        self._read += len(chunk)
        video = self._passed_on + sum(map(len, self._arrived))
        if self._read - video > _FRAMING:
            raise _no_video(f"It has more than {_FRAMING:,} bytes beside the video.")
        return True

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._field += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _on_header_end(self) -> None:
        if self._field.lower() == b"content-disposition":
            self._disposition = self._value
        self._field = self._value = b""

    def _on_headers_finished(self) -> None:
        _, options = parse_options_header(self._disposition)
        self._parts += 1
        if self._parts > 1 or options.get(b"name") != FIELD.encode() or b"filename" not in options:
            raise _no_video("It has another field.")
        name = options[b"filename"].decode("utf-8", errors="replace").replace("\0", "")
        self.name = name[-_MOST_NAME:] or None

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        self._arrived.append(data[start:end])

    def _on_end(self) -> None:
        self._ended = True


def _no_video(why: str) -> InvalidRequest:
    return InvalidRequest(
        f"The form must hold one file named {FIELD!r} and nothing else (curl -F {FIELD}=@FILE). "
        f"{why}"
    )
