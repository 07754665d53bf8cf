"""Datasets as the controller sends them: JSON Lines, a header and then one line an image; pseudo labels as Parquet."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from cassl_worker.errors import CasslError
from cassl_worker.remote_images import ImageCache, most_bytes

LABEL_COLUMNS = ("image", "x0", "y0", "x1", "y1", "class")


@dataclass(frozen=True)
class Category:
    """A class; its position in `Dataset.categories` is the class index."""

    id: int
    name: str


@dataclass(frozen=True)
class Annotation:
    """One object: ground truth, or a pseudo label if it has a score.

    Attributes:
        box_xywh: absolute px of the original image.
        class_index: 0..K-1.
        area: square px.
        iscrowd: whether the box holds many objects; training learns nothing from it.
        score: in [0, 1]; pseudo labels only.
        mask: of the whole image, in COCO's compressed form. None: there is none.
    """

    box_xywh: tuple[float, float, float, float]
    class_index: int
    area: float
    iscrowd: bool
    score: float | None = None
    mask: str | None = None


@dataclass(frozen=True)
class ImageRecord:
    """An image and its annotations. `file_name` is relative to `Dataset.root`, or a URI; `sha256` is the file's."""

    id: int
    file_name: str
    sha256: str
    width_px: int
    height_px: int
    annotations: tuple[Annotation, ...]


@dataclass(frozen=True)
class Labels:
    """Pseudo labels of all images of a dataset, as columns: there may be tens of millions.

    Attributes:
        starts: (I + 1,) int64; the boxes of image i are those from starts[i] to starts[i + 1].
        boxes: (B, 4) float32 xyxy, absolute px of the original image.
        classes: (B,) int32, class indices.
        masks: (B,) large_binary, in COCO's compressed form, null where there is none. None: they were not asked for.
    """

    starts: NDArray[np.int64]
    boxes: NDArray[np.float32]
    classes: NDArray[np.int32]
    class_count: int
    masks: pa.LargeBinaryArray | None = None


@dataclass(frozen=True)
class Objects:
    """What there is to learn in one image.

    Attributes:
        boxes: (M, 4) float32 xyxy, absolute px of the original image.
        classes: (M,) int64, class indices.
        masks: (M,) of the whole image, in COCO's compressed form; None where there is none. Empty: they were not asked
            for.
    """

    boxes: NDArray[np.float32]
    classes: NDArray[np.int64]
    masks: tuple[bytes | None, ...]


@dataclass(frozen=True)
class Dataset:
    """Images and their annotations.

    Attributes:
        remote: gets images that are named by URIs; None where there are none.
        labels: what to learn in place of the annotations.
    """

    categories: tuple[Category, ...]
    images: tuple[ImageRecord, ...]
    root: Path
    remote: ImageCache | None = None
    labels: Labels | None = None

    @property
    def class_count(self) -> int:
        return len(self.categories) if self.labels is None else self.labels.class_count

    def objects(self, position: int, *, masks: bool = False) -> Objects:
        """Those of the image at that position, without crowds; with their masks where they are asked for."""
        if self.labels is None:
            annotations = [item for item in self.images[position].annotations if not item.iscrowd]
            classes = np.array([annotation.class_index for annotation in annotations], dtype=np.int64)
            return Objects(boxes_xyxy(annotations), classes, annotation_masks(annotations) if masks else ())
        rows = slice(*self.labels.starts[position : position + 2])
        boxes, classes = self.labels.boxes[rows].copy(), self.labels.classes[rows].astype(np.int64)
        return Objects(boxes, classes, label_masks(self.labels, rows) if masks else ())


def annotation_masks(annotations: Sequence[Annotation]) -> tuple[bytes | None, ...]:
    return tuple(None if item.mask is None else item.mask.encode("latin1") for item in annotations)


def label_masks(labels: Labels, rows: slice) -> tuple[bytes | None, ...]:
    if labels.masks is None:
        return tuple(None for _ in range(rows.start, rows.stop))
    return tuple(mask.as_py() for mask in labels.masks[rows])


def check_masks(dataset: Dataset) -> None:
    """ANNOTATIONS_INVALID names an object to be learned that has no mask."""
    for position, image in enumerate(dataset.images):
        masks = dataset.objects(position, masks=True).masks
        if None in masks:
            raise CasslError(
                "ANNOTATIONS_INVALID",
                f"Object {masks.index(None) + 1} of {len(masks)} in {image.file_name} has no mask.",
                "Add segmentations, or choose a family without masks, such as `light` or `faster_rcnn`.",
            )


@lru_cache(maxsize=1)
def kept_dataset(manifest: Path, image_root: Path, image_cache: Path) -> Dataset:
    """The dataset of the last call with the same arguments. image_cache: folder for copies of remote images."""
    return read_dataset(manifest, image_root, ImageCache(image_cache, most_bytes()))


def read_dataset(manifest: Path, image_root: Path, remote: ImageCache | None = None) -> Dataset:
    """ANNOTATIONS_INVALID if the file is not a whole manifest."""
    try:
        # Names may hold other characters that str.splitlines takes for the end of a line.
        header, *lines = map(json.loads, manifest.read_text(encoding="utf-8").removesuffix("\n").split("\n"))
        if (header["cassl"], header["version"], header["image_count"]) != ("dataset", 1, len(lines)):
            raise ValueError(f"its header is {header} and {len(lines)} images follow")
        categories = tuple(Category(**category) for category in header["categories"])
        return Dataset(categories, tuple(map(to_record, lines)), image_root, remote)
    except (ValueError, KeyError, TypeError) as error:
        raise CasslError(
            "ANNOTATIONS_INVALID",
            f"{manifest.name} is not a whole dataset manifest of version 1: {error}.",
            "Run the same configuration again; if this stays, controller and worker are of different versions.",
        ) from error


def to_record(line: dict[str, Any]) -> ImageRecord:
    return ImageRecord(**{**line, "annotations": tuple(map(to_annotation, line["annotations"]))})


def to_annotation(item: dict[str, Any]) -> Annotation:
    return Annotation(**{**item, "box_xywh": tuple(item["box_xywh"])})


def boxes_xyxy(annotations: Sequence[Annotation]) -> NDArray[np.float32]:
    boxes = np.array([annotation.box_xywh for annotation in annotations], dtype=np.float32).reshape(-1, 4)
    boxes[:, 2:] += boxes[:, :2]
    return boxes


def read_labels(path: Path, image_count: int, class_count: int, *, masks: bool = False) -> Labels:
    """Pseudo labels (docs/pseudo-labels.md) of a dataset of so many images; masks too where they are asked for.

    ARTIFACT_CORRUPT if the file is no Parquet file of labels, or has labels of other images or classes.
    """
    try:
        with pq.ParquetFile(path) as file:
            count = file.metadata.num_rows
            image, classes = np.empty(count, np.int32), np.empty(count, np.int32)
            boxes = np.empty((count, 4), np.float32)
            mask_column = ("mask",) if masks and "mask" in file.schema_arrow.names else ()
            mask_batches: list[pa.Array] = []
            row = 0
            for batch in file.iter_batches(columns=[*LABEL_COLUMNS, *mask_column]):
                rows = slice(row, row := row + batch.num_rows)
                image[rows], classes[rows] = batch["image"].to_numpy(), batch["class"].to_numpy()
                for side, name in enumerate(LABEL_COLUMNS[1:5]):
                    boxes[rows, side] = batch[name].to_numpy()
                mask_batches += [batch[name].cast(pa.large_binary()) for name in mask_column]
        if (fault := fault_of(image, classes, image_count, class_count)) is not None:
            raise ValueError(fault)
    except (pa.ArrowException, OSError, ValueError, KeyError) as error:
        raise CasslError(
            "ARTIFACT_CORRUPT",
            f"The pseudo labels {path.name} cannot be read: {error}.",
            "Run the same configuration again; if this stays, controller and worker are of different versions.",
        ) from error
    starts = np.searchsorted(image, np.arange(image_count + 1))
    return Labels(starts, boxes, classes, class_count, pa.concat_arrays(mask_batches) if mask_batches else None)


def fault_of(image: NDArray[np.int32], classes: NDArray[np.int32], image_count: int, class_count: int) -> str | None:
    if len(image) == 0:
        return None
    if (image[1:] < image[:-1]).any():
        return "they are not sorted by image"
    if image[0] < 0 or image[-1] >= image_count:
        return f"they are of the images {image[0]} to {image[-1]} of {image_count}"
    if classes.min() < 0 or classes.max() >= class_count:
        return f"they are of the classes {classes.min()} to {classes.max()} of {class_count}"
    return None
