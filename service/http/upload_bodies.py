"""An upload in a request's body: passed on as it arrives, never held whole."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.datastructures import Headers
from starlette.requests import Request

from emotion.errors import InputError, InvalidRequest, UnsupportedPhotoSet, UnsupportedVideo
from service.jobs.job import shown_name

_MULTIPART = "multipart/form-data"
_RAW_UNTYPED = "application/octet-stream"
_FRAMING = 64 * 1024  # Bytes of multipart boundaries and headers allowed beside the file.


@dataclass(frozen=True, slots=True)
class UploadForm:
    """How a file of a kind is sent.

    Attributes:
        field: its name in a form.
        types: that it has as a raw body, beside application/octet-stream; one that ends in a slash
            stands for all that begin so.
        example: one of them.
        unsupported: is raised for another.
    """

    field: str
    types: tuple[str, ...]
    example: str
    unsupported: type[InputError]

    def takes(self, media_type: str) -> bool:
        """Return whether a raw body of this type is read."""
        return media_type == _RAW_UNTYPED or any(
            media_type.startswith(one) if one.endswith("/") else media_type == one
            for one in self.types
        )


VIDEO_FORM = UploadForm("video", ("video/",), "video/mp4", UnsupportedVideo)
PHOTO_SET_FORM = UploadForm(
    "photos",
    ("application/zip", "application/x-zip-compressed"),
    "application/zip",
    UnsupportedPhotoSet,
)


@dataclass(frozen=True, slots=True)
class UploadBody:
    """A file on its way.

    Attributes:
        chunks: its bytes, as they arrive.
        announced: how many there will be, about; None where the caller doesn't say.
        name: the file's, as the form calls it.
    """

    chunks: AsyncIterator[bytes]
    announced: int | None
    name: str | None


async def read_upload(request: Request, form: UploadForm) -> UploadBody:
    """Begin to read a file: a raw body, or a form with this one field.

    Reads no more than it takes to know where the file begins.

    Raises:
        InputError: ``form.unsupported``; another content type, or a compressed body.
        InvalidRequest: the form has no such file, or something else before it.
    """
    if request.headers.get("content-encoding", "identity") != "identity":
        raise form.unsupported("Compressed bodies are not read: what is sent is so already.")
    kind = media_type_of(request)
    length = request.headers.get("content-length", "")
    announced = int(length) if length.isascii() and length.isdecimal() else None
    if kind == _MULTIPART:
        sent = _Form(request.stream(), request.headers, form.field)
        await sent.find_file()
        at_least = None if announced is None else max(0, announced - _FRAMING)
        return UploadBody(sent.chunks(), at_least, sent.name)
    if not form.takes(kind):
        raise form.unsupported(
            f"Content-Type {kind or '(none)'} is none that is read here. Send the file's bytes as "
            f"{form.example}, or a {_MULTIPART} form with the field {form.field!r}."
        )
    return UploadBody(request.stream(), announced, None)


def media_type_of(request: Request) -> str:
    """Return what a body is said to be, in small letters; empty where nothing is said."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


class _Form:
    """A multipart form of one file, read while it arrives.

    Attributes:
        name: the file's, once it is found.
    """

    def __init__(self, stream: AsyncIterator[bytes], headers: Headers, field: str) -> None:
        _, options = parse_options_header(headers["content-type"])
        if b"boundary" not in options:
            raise InvalidRequest(
                f"The form's Content-Type names no boundary (curl -F {field}=@FILE)."
            )
        self._wanted = field
        try:
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
        except FormParserError as error:
            raise self._unreadable(error) from error
        self._stream = stream
        self._field = self._value = b""
        self._disposition = b""
        self._arrived: list[bytes] = []
        self._read = self._passed_on = 0
        self._parts = 0
        self._ended = False
        self.name: str | None = None

    async def find_file(self) -> None:
        """Read on until the file's first byte could come."""
        while not self._parts:
            if not await self._read_on():
                raise self._no_file("It ends before there is one.")

    async def chunks(self) -> AsyncIterator[bytes]:
        """Pass the file's bytes on.

        Raises:
            InvalidRequest: the form ends early, or has something else beside the file.
        """
        reading = True
        while reading:
            arrived, self._arrived = self._arrived, []
            for chunk in arrived:
                self._passed_on += len(chunk)
                yield chunk
            reading = await self._read_on()
        if not self._ended:
            raise self._no_file("It ends in the middle.")

    async def _read_on(self) -> bool:
        """Read the next piece of the body; return whether there was one."""
        chunk = await anext(self._stream, None)
        if chunk is None:
            return False
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise self._unreadable(error) from error
        self._read += len(chunk)
        file = self._passed_on + sum(map(len, self._arrived))
        if self._read - file > _FRAMING:
            raise self._no_file(f"It has more than {_FRAMING:,} bytes beside the file.")
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
        if (
            self._parts > 1
            or options.get(b"name") != self._wanted.encode()
            or b"filename" not in options
        ):
            raise self._no_file("It has another field.")
        self.name = shown_name(options[b"filename"].decode("utf-8", errors="replace")) or None

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        self._arrived.append(data[start:end])

    def _on_end(self) -> None:
        self._ended = True

    def _unreadable(self, error: FormParserError) -> InvalidRequest:
        return self._no_file(f"It can't be read: {error}")

    def _no_file(self, why: str) -> InvalidRequest:
        return InvalidRequest(
            f"The form must hold one file named {self._wanted!r} and nothing else "
            f"(curl -F {self._wanted}=@FILE). {why}"
        )
