"""Request bodies: counted while they are read, kept in memory, never written to disk."""

import sys
from collections.abc import AsyncGenerator

from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from emotion.errors import ImageTooLarge, InvalidRequest, UnsupportedImage
from service.admission import Slot

FIELD = "photo"
_MULTIPART = "multipart/form-data"
_RAW_PREFIX, _RAW_UNTYPED = "image/", "application/octet-stream"
_FRAMING = 64 * 1024  # Bytes of multipart boundaries and headers allowed beside the photos.


async def read_photo(request: Request, slot: Slot, max_bytes: int) -> bytes:
    """Read one photo: a raw body of type image/*, or the multipart field ``photo``.

    Raises:
        UnsupportedImage: another content type.
        InvalidRequest: the multipart form has no photo, several, or something else.
        ImageTooLarge: more than ``max_bytes``; noticed at the first byte too many.
        Overloaded: all requests together hold too much.
    """
    kind = _media_type(request.headers)
    if kind == _MULTIPART:
        photos = await read_photos(request, slot, max_photos=1, max_bytes=max_bytes)
        return photos[0]
    if not (kind.startswith(_RAW_PREFIX) or kind == _RAW_UNTYPED):
        raise UnsupportedImage(
            f"Content-Type {kind or '(none)'} is not a photo's. Send the photo's bytes as "
            f"image/jpeg (or its own type), or a {_MULTIPART} form with the field {FIELD!r}."
        )
    return await read_body(request, slot, max_bytes)


async def read_body(request: Request, slot: Slot, max_bytes: int) -> bytes:
    """Read a body, whatever it is.

    Raises:
        ImageTooLarge: more than ``max_bytes``; noticed at the first byte too many.
        Overloaded: all requests together hold too much.
    """
    return b"".join([chunk async for chunk in _counted(request, slot, max_bytes)])


async def read_photos(
    request: Request, slot: Slot, *, max_photos: int, max_bytes: int
) -> list[bytes]:
    """Read a multipart form of one or more fields named ``photo``, in order.

    Raises:
        UnsupportedImage: another content type.
        InvalidRequest: malformed, no photo, too many, or a field of another name.
        ImageTooLarge: more than ``max_bytes`` in all.
        Overloaded: all requests together hold too much.
    """
    if _media_type(request.headers) != _MULTIPART:
        raise UnsupportedImage(f"Send a {_MULTIPART} form with the field {FIELD!r}.")
    stream = _counted(request, slot, max_bytes + _FRAMING)
    parser = _InMemoryParser(request.headers, stream, max_files=max_photos, max_fields=0)
    try:
        form = await parser.parse()
    except (MultiPartException, KeyError, ValueError) as error:
        raise InvalidRequest(
            f"The form must hold files named {FIELD!r} and nothing else, at most {max_photos} here "
            f"(curl -F {FIELD}=@FILE; several go to /v1/photos:batch). It does not: {error}"
        ) from error
    try:
        photos = [await _content(name, value) for name, value in form.multi_items()]
    finally:
        await form.close()
    if not photos:
        raise InvalidRequest(f"The form has no whole file named {FIELD!r} (curl -F {FIELD}=@FILE).")
    return photos


class _InMemoryParser(MultiPartParser):
    """Starlette's parser moves files of more than 1 MB to disk; photos must not go there."""

    spool_max_size = sys.maxsize


async def _content(name: str, value: UploadFile | str) -> bytes:
    if name != FIELD or isinstance(value, str):
        raise InvalidRequest(f"The form has a field {name!r}; only files named {FIELD!r} are read.")
    return await value.read()


async def _counted(request: Request, slot: Slot, max_bytes: int) -> AsyncGenerator[bytes]:
    """Pass the body on as it arrives, and stop at the first byte too many."""
    announced = request.headers.get("content-length", "0")
    if announced.isdecimal() and int(announced) > max_bytes:
        raise _too_large(max_bytes)
    count = 0
    async for chunk in request.stream():
        count += len(chunk)
        if count > max_bytes:
            raise _too_large(max_bytes)
        slot.hold(len(chunk))
        yield chunk


def _too_large(max_bytes: int) -> ImageTooLarge:
    return ImageTooLarge(f"The body is larger than the {max_bytes:,} bytes accepted.")


def _media_type(headers: Headers) -> str:
    return headers.get("content-type", "").partition(";")[0].strip().lower()
