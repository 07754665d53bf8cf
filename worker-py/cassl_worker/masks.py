"""Masks as runs of pixels, in COCO's compressed form: equal to pycocotools, to the last byte.

A mask is read down the first column, then down the next. Runs alternate between outside and inside, outside first
(perhaps of no pixel). Each run is a number, from the fourth on its difference to the run two before, in groups of five
bits, lowest first, a character each.
"""

import numpy as np
from numpy.typing import NDArray

from cassl_worker.errors import CasslError

Bitmap = NDArray[np.bool_]
"""(height, width), whether a pixel is inside."""
Runs = NDArray[np.int64]
"""(R,) lengths in px, outside first."""
Size = tuple[int, int]
"""(width, height) in px."""

FIRST_CODE, CONTINUES, SIGN, GROUP = 48, 32, 16, 5
"""Of a character: code of no bits; bits for "another group follows" and for the sign; bits of the number in it."""
MOST_GROUPS = 7
"""For numbers of 32 bits."""


def encode(bitmap: Bitmap, at: tuple[int, int] = (0, 0), size: Size | None = None) -> bytes:
    """The counts of a mask.

    Args:
        bitmap: the mask, or a rectangle of it outside of which nothing is inside.
        at: x, y of the rectangle's top left corner in px.
        size: of the whole mask; None: the bitmap's.
    """
    width, height = size or (bitmap.shape[1], bitmap.shape[0])
    padded = np.zeros((bitmap.shape[1], bitmap.shape[0] + 2), dtype=np.int8)
    padded[:, 1:-1] = bitmap.T
    columns, rows = np.nonzero(np.diff(padded, axis=1))
    # Within a column changes alternate between the start and the end of a run.
    ends = (columns + at[0]) * height + rows + at[1]
    joined = np.flatnonzero(ends[1:-1:2] == ends[2::2])
    ends = np.delete(ends, np.concatenate([2 * joined + 1, 2 * joined + 2]))
    if len(ends) == 0 or ends[-1] < width * height:
        ends = np.append(ends, width * height)
    return write_counts(np.diff(ends, prepend=0))


def decode(counts: bytes, size: Size) -> Bitmap:
    """The pixels of a mask. ANNOTATIONS_INVALID if its runs do not fill an image of that size."""
    width, height = size
    runs = runs_of(counts, size)
    inside = np.arange(len(runs)) % 2 == 1
    return np.repeat(inside, runs).reshape(width, height).T


def sample(counts: bytes, size: Size, columns: NDArray[np.int64], rows: NDArray[np.int64]) -> Bitmap:
    """Pixels of a mask at the crossings of columns and rows, without those in between. ANNOTATIONS_INVALID as `decode`.

    Args:
        size: of the mask.
        columns: (C,) ascending, in 0..width-1; values may repeat. rows: (R,) alike.

    Returns:
        (R, C).
    """
    ends = np.cumsum(runs_of(counts, size))
    unique_columns, to_columns = np.unique(columns, return_inverse=True)
    unique_rows, to_rows = np.unique(rows, return_inverse=True)
    positions = (unique_columns[:, None] * size[1] + unique_rows).reshape(-1)
    # A pixel is inside if an odd number of runs has ended before it.
    changes = np.bincount(np.searchsorted(positions, ends), minlength=len(positions) + 1)[:-1]
    inside = np.cumsum(changes) % 2 == 1
    crossings: Bitmap = inside.reshape(len(unique_columns), len(unique_rows)).T[to_rows[:, None], to_columns]
    return crossings


def runs_of(counts: bytes, size: Size) -> Runs:
    """ANNOTATIONS_INVALID if the text is broken, or its runs do not fill an image of that size."""
    try:
        runs = read_counts(counts)
        if runs.sum() != size[0] * size[1]:
            raise ValueError(f"its runs hold {runs.sum()} px, the image {size[0]} x {size[1]}")
    except ValueError as error:
        text = counts[:40].decode("latin1")
        raise CasslError(
            "ANNOTATIONS_INVALID",
            f"The mask with the counts `{text}` cannot be read: {error}.",
            "Write masks as pycocotools does, in the size of their image.",
        ) from error
    return runs


def write_counts(runs: Runs) -> bytes:
    numbers = runs.copy()
    numbers[3:] -= runs[1:-2]
    shifts = GROUP * np.arange(MOST_GROUPS)
    groups, rest = numbers[:, None] >> shifts & 31, numbers[:, None] >> shifts + GROUP
    continues = rest != np.where(groups & SIGN, -1, 0)
    written = np.ones_like(continues)
    written[:, 1:] = np.logical_and.accumulate(continues, axis=1)[:, :-1]
    codes = FIRST_CODE + groups + CONTINUES * continues
    return bytes(codes[written].astype(np.uint8))


def read_counts(counts: bytes) -> Runs:
    """ValueError for a foreign character, a number that is cut off, too long or below 0."""
    codes = np.frombuffer(counts, np.uint8).astype(np.int64) - FIRST_CODE
    if ((codes < 0) | (codes > 63)).any():
        raise ValueError("it has other characters than `0` to `o`")
    last = np.flatnonzero(codes & CONTINUES == 0)
    lengths = np.diff(last, prepend=-1)
    if len(codes) > 0 and (len(last) == 0 or last[-1] != len(codes) - 1):
        raise ValueError("it is cut off")
    if (lengths > MOST_GROUPS).any():
        raise ValueError("it has a number of more than 32 bits")
    place = np.arange(len(codes)) - np.repeat(last - lengths + 1, lengths)
    numbers = np.zeros(len(last), dtype=np.int64)
    np.add.at(numbers, np.repeat(np.arange(len(last)), lengths), (codes & 31) << GROUP * place)
    numbers -= np.where(codes[last] & SIGN, 1 << GROUP * lengths, 0)
    numbers[1::2] = np.cumsum(numbers[1::2])
    numbers[2::2] = np.cumsum(numbers[2::2])
    if (numbers < 0).any():
        raise ValueError("it has a run of fewer than 0 px")
    return numbers
