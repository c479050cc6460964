import tracemalloc
from pathlib import Path
from zipfile import ZIP_BZIP2, ZIP_LZMA, ZIP_STORED

import pytest

from emotion.errors import (
    ImageTooLarge,
    InputError,
    PhotoSetTooLarge,
    UndecodableImage,
    UndecodablePhotoSet,
    UnsupportedImage,
    UnsupportedPhotoSet,
)
from emotion.photo_set.archive import PhotoSetLimits, check_head, open_archive
from tests.emotion.photo_set.zips import (
    add_link,
    claiming,
    encrypted,
    overlapping,
    twice,
    write_zip,
)

LIMITS = PhotoSetLimits(max_bytes=100_000, max_photos=10, max_photo_bytes=50_000)


def read_all(path: Path, limits: PhotoSetLimits = LIMITS) -> dict[str, bytes]:
    with open_archive(path, limits) as archive:
        return {name: archive.read(number) for number, name in enumerate(archive.names)}


def error_of(path: Path, limits: PhotoSetLimits = LIMITS) -> InputError:
    """What is wrong with the only photo."""
    with open_archive(path, limits) as archive, pytest.raises(InputError) as caught:
        archive.read(0)
    return caught.value


@pytest.mark.parametrize("packing", [ZIP_STORED, 8])
def test_photos_are_read_in_order_of_name(tmp_path: Path, packing: int) -> None:
    files = {"b.jpg": b"bb", "sub/a.jpg": b"a", "a.jpg": b"aa" * 1000}
    path = write_zip(tmp_path / "a.zip", files, packing)
    assert list(read_all(path).items()) == [
        ("a.jpg", b"aa" * 1000),
        ("b.jpg", b"bb"),
        ("sub/a.jpg", b"a"),
    ]


def test_folders_and_litter_are_left_out(tmp_path: Path) -> None:
    names = ["a/", "a/b.jpg", "__MACOSX/a/._b.jpg", ".DS_Store", "a/.hidden.jpg", "a/Thumbs.db"]
    path = write_zip(tmp_path / "a.zip", dict.fromkeys(names, b"x"))
    assert list(read_all(path)) == ["a/b.jpg"]


def test_a_name_is_shown_and_never_a_path(tmp_path: Path) -> None:
    files = {"../../etc/passwd": b"1", "/etc/shadow": b"2", "C:\\a\u202egpj.exe": b"3"}
    path = write_zip(tmp_path / "a.zip", files)
    shown = read_all(path)
    assert shown == {"../../etc/passwd": b"1", "/etc/shadow": b"2", "C:\\a\ufffdgpj.exe": b"3"}
    assert list(tmp_path.iterdir()) == [path]


def test_two_photos_of_one_name_are_two(tmp_path: Path) -> None:
    path = twice(tmp_path / "a.zip", "a.jpg", b"first", b"second")
    with open_archive(path, LIMITS) as archive:
        assert [archive.read(number) for number in range(2)] == [b"first", b"second"]


@pytest.mark.parametrize("packing", [ZIP_BZIP2, ZIP_LZMA])
def test_a_photo_packed_in_an_uncommon_way_is_not_unpacked(tmp_path: Path, packing: int) -> None:
    path = write_zip(tmp_path / "a.zip", {"a.jpg": b"a"}, packing)
    assert isinstance(error_of(path), UnsupportedImage)


def test_an_encrypted_photo_is_an_error_in_its_place(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {"a.jpg": b"a"})
    path.write_bytes(encrypted(path.read_bytes()))
    assert error_of(path).message.startswith("It is encrypted in the zip.")


def test_a_link_is_an_error_in_its_place(tmp_path: Path) -> None:
    add_link(tmp_path / "a.zip", "a.jpg", "/etc/passwd")
    assert error_of(tmp_path / "a.zip").message.startswith("It is a link, and no photo.")


def test_a_photo_of_too_many_bytes_is_not_unpacked(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {"a.jpg": bytes(50_001)})
    assert isinstance(error_of(path), ImageTooLarge)


def test_a_photo_that_unpacks_to_more_than_it_says_ends_there(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {"a.jpg": bytes(200 * 2**20)})
    path.write_bytes(claiming(path.read_bytes(), 1000))
    tracemalloc.start()
    try:
        assert isinstance(error_of(path), UndecodableImage)
        assert tracemalloc.get_traced_memory()[1] < 2 * 2**20
    finally:
        tracemalloc.stop()


def test_a_corrupt_photo_is_an_error_in_its_place(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {"a.jpg": b"abcdefgh" * 10}, ZIP_STORED)
    path.write_bytes(path.read_bytes().replace(b"abcd", b"abXd", 1))
    assert error_of(path).message.startswith("It is corrupt in the zip: Bad CRC-32")


def test_too_many_photos_are_refused(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {f"{number}.jpg": b"a" for number in range(11)})
    with pytest.raises(PhotoSetTooLarge, match=r"^It has 11 photos; at most 10 are accepted\.$"):
        read_all(path)


def test_photos_that_unpack_to_too_many_bytes_are_refused(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {f"{number}.jpg": bytes(40_000) for number in range(3)})
    with pytest.raises(PhotoSetTooLarge, match=r"^Its photos have 120,000 bytes together"):
        read_all(path)


def test_a_directory_of_far_too_many_entries_is_not_read(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {"x" * 60_000 + str(number): b"" for number in range(2)})
    with pytest.raises(PhotoSetTooLarge, match="far more entries"):
        read_all(path)


def test_entries_that_share_their_bytes_are_refused(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {"000.png": bytes(range(256)) * 20}, ZIP_STORED)
    path.write_bytes(overlapping(path.read_bytes(), 9))
    with pytest.raises(UndecodablePhotoSet, match="its entries overlap"):
        read_all(path)


@pytest.mark.parametrize("cut", [1, 10, 30, 100])
def test_a_truncated_zip_is_refused(tmp_path: Path, cut: int) -> None:
    path = write_zip(tmp_path / "a.zip", {"a.jpg": bytes(range(256))}, ZIP_STORED)
    path.write_bytes(path.read_bytes()[:-cut])
    with pytest.raises(UndecodablePhotoSet, match=r"^The zip is truncated or corrupt: "):
        read_all(path)


@pytest.mark.parametrize("names", [[], ["folder/"], [".DS_Store"]])
def test_a_zip_without_photos_is_refused(tmp_path: Path, names: list[str]) -> None:
    path = write_zip(tmp_path / "a.zip", dict.fromkeys(names, b""))
    with pytest.raises(UnsupportedPhotoSet, match="There is no photo in it"):
        read_all(path)


@pytest.mark.parametrize(
    ("head", "error"),
    [(b"", UndecodablePhotoSet), (b"PK", UnsupportedPhotoSet), (b"Rar!", UnsupportedPhotoSet)],
)
def test_what_begins_as_no_zip_is_refused(head: bytes, error: type[InputError]) -> None:
    with pytest.raises(error):
        check_head(head)
