"""Masks as runs, against pycocotools."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from pycocotools import mask as reference

from cassl_worker.errors import CasslError
from cassl_worker.masks import Bitmap, decode, encode, read_counts, sample, write_counts

GOLDEN = Path(__file__).parents[1] / "golden" / "masks.json"


def bitmap_of(width: int, height: int, seed: int, grain: int) -> Bitmap:
    """Blobs of `grain` px; where that is large all or nothing may be inside."""
    rng = np.random.default_rng(seed)
    coarse = rng.random((-(-height // grain), -(-width // grain))) < rng.random()
    return np.kron(coarse, np.ones((grain, grain), dtype=bool))[:height, :width]


bitmaps = st.builds(bitmap_of, st.integers(1, 70), st.integers(1, 70), st.integers(0, 2**32), st.integers(1, 90))


def reference_counts(bitmap: Bitmap) -> bytes:
    counts: bytes = reference.encode(np.asfortranarray(bitmap.astype(np.uint8)))["counts"]
    return counts


def size_of(bitmap: Bitmap) -> tuple[int, int]:
    return bitmap.shape[1], bitmap.shape[0]


@given(bitmaps)
def test_counts_equal_pycocotools_and_give_the_mask_back(bitmap: Bitmap) -> None:
    counts = encode(bitmap)
    assert counts == reference_counts(bitmap)
    np.testing.assert_array_equal(decode(counts, size_of(bitmap)), bitmap)


@given(bitmaps, st.integers(0, 40), st.integers(0, 40), st.integers(0, 40), st.integers(0, 40))
def test_rectangle_of_a_mask_is_encoded_in_its_place(
    bitmap: Bitmap, left: int, top: int, right: int, bottom: int
) -> None:
    whole = np.pad(bitmap, ((top, bottom), (left, right)))
    assert encode(bitmap, (left, top), size_of(whole)) == reference_counts(whole)


@given(bitmaps, st.data())
def test_sample_equals_the_pixels_at_the_crossings(bitmap: Bitmap, data: st.DataObject) -> None:
    def some(side: int) -> NDArray[np.int64]:
        places = data.draw(st.lists(st.integers(0, side - 1), max_size=12))
        return np.array(sorted(places), dtype=np.int64)

    columns, rows = some(bitmap.shape[1]), some(bitmap.shape[0])
    sampled = sample(encode(bitmap), size_of(bitmap), columns, rows)
    np.testing.assert_array_equal(sampled, bitmap[rows[:, None], columns])


@given(st.lists(st.integers(0, 2**31 - 1), min_size=1, max_size=20))
def test_counts_of_any_length_are_read_as_they_were_written(lengths: list[int]) -> None:
    assert read_counts(write_counts(np.array(lengths, dtype=np.int64))).tolist() == lengths


def test_golden_masks_are_decoded_as_typescript_does() -> None:
    for image in json.loads(GOLDEN.read_text()):
        size = (image["width"], image["height"])
        for mask in image["masks"]:
            bitmap = decode(mask["counts"].encode(), size)
            assert bitmap.sum() == mask["area"]
            ours, theirs = ({"size": size[::-1], "counts": counts} for counts in (encode(bitmap), mask["counts"]))
            assert mask["area"] == 0 or reference.iou([ours], [theirs], [0]) == 1


@pytest.mark.parametrize(
    ("counts", "what"),
    [
        (b"~", "other characters"),
        (b"0 ", "other characters"),
        (b"P", "cut off"),
        (b"PPPPPPPP0", "more than 32 bits"),
        (b"O", "fewer than 0 px"),
        (b"00", "hold 0 px, the image 4 x 3"),
        (b"", "hold 0 px, the image 4 x 3"),
        (b"=", "hold 13 px, the image 4 x 3"),
    ],
)
def test_broken_counts_are_refused_with_the_reason(counts: bytes, what: str) -> None:
    with pytest.raises(CasslError, match=what) as caught:
        decode(counts, (4, 3))
    assert caught.value.reason == "ANNOTATIONS_INVALID"
