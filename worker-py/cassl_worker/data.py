"""Datasets as the controller sends them: JSON Lines, a header and then one line an image."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cassl_worker.errors import CasslError
from cassl_worker.remote_images import ImageCache


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
    """

    box_xywh: tuple[float, float, float, float]
    class_index: int
    area: float
    iscrowd: bool
    score: float | None = None


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
class Dataset:
    categories: tuple[Category, ...]
    images: tuple[ImageRecord, ...]
    root: Path
    remote: ImageCache | None = None
    """Gets images that are named by URIs; None where there are none."""


def read_dataset(manifest: Path, image_root: Path, remote: ImageCache | None = None) -> Dataset:
    """ANNOTATIONS_INVALID if the file is not a whole manifest."""
    try:
        header, *lines = map(json.loads, manifest.read_text(encoding="utf-8").splitlines())
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
