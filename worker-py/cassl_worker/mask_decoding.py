"""From the masks of a dense output, small grids of logits, to masks of the original image.

A pixel of the image belongs to a mask if its center lies in the detection's box and the logit there is above 0. Logits
are interpolated between the centers of the grid's cells. All arithmetic is float64 and in the order that
ts/evaluation/onnx has, so that both give the same bits (test/golden/instance-masks.json).
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cassl_worker.images import Boxes, Size, letterbox_size
from cassl_worker.masks import Bitmap, encode

Floats = NDArray[np.float32]
Grid = NDArray[np.float64]
"""(rows, columns) logits."""
Places = NDArray[np.float64]
"""Positions in a grid, in cells; 0 is the center of the first."""
COLUMNS_AT_ONCE = 64
"""So that what is interpolated fits into a processor's cache."""


class MaskGrids(ABC):
    """The masks of all candidates of one image, before anything is selected."""

    @abstractmethod
    def grid(self, candidate: int, class_index: int) -> Grid: ...

    @abstractmethod
    def places(self, candidate: int, axis: int, centers: Places, image_size: Size) -> Places:
        """Where in the candidate's grid pixels of the image are.

        Args:
            axis: 0 along the width, 1 along the height.
            centers: of pixels along the axis, in px of the image.
        """


@dataclass(frozen=True)
class PrototypeGrids(MaskGrids):
    """Each candidate mixes the same prototypes, which cover the whole input.

    Attributes:
        embeddings: (L, C). prototypes: (C, rows, columns).
    """

    embeddings: Floats
    prototypes: Floats
    input_size: Size

    def grid(self, candidate: int, class_index: int) -> Grid:
        weights, prototypes = self.embeddings[candidate].astype(np.float64), self.prototypes
        mixed: Grid = weights[0] * prototypes[0]
        for weight, prototype in zip(weights[1:], prototypes[1:], strict=True):
            mixed += weight * prototype
        return mixed

    def places(self, candidate: int, axis: int, centers: Places, image_size: Size) -> Places:
        shown, cells = letterbox_size(image_size, self.input_size)[axis], self.prototypes.shape[2 - axis]
        in_grid: Places = centers * shown / image_size[axis] * cells / self.input_size[axis] - 0.5
        return in_grid


@dataclass(frozen=True)
class RegionGrids(MaskGrids):
    """Each candidate has a mask of its own, which covers its box.

    Attributes:
        logits: (L, M, side, side), M being 1 if all classes have the same mask, else K.
        boxes: (L, 4) xyxy, input px, not clipped.
    """

    logits: Floats
    boxes: Boxes
    input_size: Size

    def grid(self, candidate: int, class_index: int) -> Grid:
        of_classes = self.logits[candidate]
        grid: Grid = of_classes[class_index if len(of_classes) > 1 else 0].astype(np.float64)
        return grid

    def places(self, candidate: int, axis: int, centers: Places, image_size: Size) -> Places:
        scale = image_size[axis] / letterbox_size(image_size, self.input_size)[axis]
        start, end = self.boxes[candidate, [axis, axis + 2]].astype(np.float64) * scale
        in_grid: Places = (centers - start) / (end - start) * self.logits.shape[3 - axis] - 0.5
        return in_grid


def decode_masks(
    grids: MaskGrids, candidates: Sequence[int], classes: Sequence[int], boxes: Boxes, image_size: Size
) -> list[bytes | None]:
    """The masks of detections, in COCO's compressed form; None where no pixel belongs to it.

    Args:
        candidates: (B,) which candidates became detections.
        boxes: (B, 4) xyxy of the detections, px of the original image, inside it.
    """
    found = zip(candidates, classes, boxes, strict=True)
    return [decode_mask(grids, candidate, class_index, box, image_size) for candidate, class_index, box in found]


def decode_mask(
    grids: MaskGrids, candidate: int, class_index: int, box: NDArray[np.float32], image_size: Size
) -> bytes | None:
    left, top, right, bottom = (int(corner) for corner in np.ceil(box.astype(np.float64) - 0.5))
    columns = grids.places(candidate, 0, np.arange(left, right, dtype=np.float64) + 0.5, image_size)
    rows = grids.places(candidate, 1, np.arange(top, bottom, dtype=np.float64) + 0.5, image_size)
    bitmap = is_inside(grids.grid(candidate, class_index), columns, rows)
    return encode(bitmap, (left, top), image_size) if bitmap.any() else None


def is_inside(grid: Grid, columns: Places, rows: Places) -> Bitmap:
    """(rows, columns): where the logit is above 0."""
    first_row, next_row, down = neighbors(rows, grid.shape[0])
    bitmap = np.empty((len(columns), len(rows)), dtype=np.bool_)
    for start in range(0, len(columns), COLUMNS_AT_ONCE):
        part = slice(start, start + COLUMNS_AT_ONCE)
        first, following, right = neighbors(columns[part], grid.shape[1])
        across = (grid[:, first] * (1 - right) + grid[:, following] * right).T
        bitmap[part] = across[:, first_row] * (1 - down) + across[:, next_row] * down > 0
    return bitmap.T


def neighbors(places: Places, cells: int) -> tuple[NDArray[np.int64], NDArray[np.int64], Places]:
    """The cells before and after each place, and how far it is from the first to the second, 0..1."""
    clamped = np.clip(places, 0, cells - 1)
    first = np.floor(clamped).astype(np.int64)
    return first, np.minimum(first + 1, cells - 1), clamped - first
