from dataclasses import replace

import numpy as np
import pytest

from training.data.dataset import Fer2013, Split, copies_in, framed, without_leaks
from training.errors import DatasetError


def test_images_of_another_size_are_refused() -> None:
    with pytest.raises(DatasetError, match=r"train: images of shape \(2, 32, 32\)"):
        Split("train", np.zeros((2, 32, 32), np.uint8), np.zeros(2, np.int64))


def test_images_and_labels_of_different_number_are_refused() -> None:
    with pytest.raises(DatasetError, match="train: 2 images but 3 labels"):
        Split("train", np.zeros((2, 48, 48), np.uint8), np.zeros(3, np.int64))


def test_split_without_images_is_refused() -> None:
    with pytest.raises(DatasetError, match="val: no images"):
        Split("val", np.zeros((0, 48, 48), np.uint8), np.zeros(0, np.int64))


def test_selected_rows_keep_their_labels_and_votes(drawn: Fer2013) -> None:
    rows = drawn.val.labels == 3
    part = drawn.val.select(rows)
    assert part.labels.tolist() == [3, 3]
    assert np.array_equal(part.images, drawn.val.images[rows])
    assert part.votes is not None
    assert part.votes[:, 3].tolist() == [8, 8]


def test_first_rows_of_none_are_all_rows(drawn: Fer2013) -> None:
    assert len(drawn.val.first(None)) == 14
    assert len(drawn.val.first(5)) == 5
    assert len(drawn.val.first(500)) == 14


def test_copies_are_found_byte_for_byte(drawn: Fer2013) -> None:
    assert np.flatnonzero(copies_in(drawn.val, of=drawn.train)).tolist() == [3]
    assert np.flatnonzero(copies_in(drawn.test, of=drawn.train)).tolist() == [5]


def test_image_that_differs_in_one_pixel_is_no_copy(drawn: Fer2013) -> None:
    images = drawn.val.images.copy()
    images[:, 0, 0] ^= 1
    assert not copies_in(Split("val", images, drawn.val.labels), of=drawn.val).any()


def test_training_drops_the_copies_of_val_and_test_images(drawn: Fer2013) -> None:
    kept = without_leaks(drawn)
    assert len(kept) == 26
    assert np.array_equal(kept.images, drawn.train.images[2:])
    assert np.array_equal(kept.labels, drawn.train.labels[2:])


@pytest.mark.shared_data
def test_shipped_test_images_that_are_no_copies_are_3301(shared_fer2013: Fer2013) -> None:
    copies = copies_in(shared_fer2013.test, of=shared_fer2013.train)
    assert int((~copies).sum()) == 3301


def test_aligned_framing_shows_the_aligned_faces(drawn: Fer2013) -> None:
    splits = [
        replace(split, aligned=255 - split.images) for split in (drawn.train, drawn.val, drawn.test)
    ]
    shown = framed(Fer2013(*splits), "aligned")
    assert np.array_equal(shown.val.images, 255 - drawn.val.images)
    assert np.array_equal(shown.val.labels, drawn.val.labels)


def test_raw_framing_changes_nothing(drawn: Fer2013) -> None:
    assert framed(drawn, "raw").train is drawn.train


def test_aligned_framing_needs_prepared_data(drawn: Fer2013) -> None:
    with pytest.raises(DatasetError, match="python -m training prepare"):
        framed(drawn, "aligned")
