"""Random masks with the results of pycocotools' mask API.

A case is {width, height, segmentations, iscrowd, masks, iou, union, intersection}. Each segmentation is {polygons},
{box} or {counts} (a list); masks are what pycocotools makes of them: {counts, area, box}, with counts as its text. The
IoUs of all masks (rows) with all masks, of which some are crowds, are (N, N).
"""

import contextlib
import io
from typing import Any

import numpy as np
from numpy.random import Generator
from pycocotools import mask as reference
from pycocotools.coco import COCO

Case = dict[str, Any]


def mask_cases(seed: int, count: int) -> list[Case]:
    rng = np.random.default_rng(seed)
    return [mask_case(rng) for _ in range(count)]


def annotation_masks(file: str) -> list[Case]:
    """The masks of a COCO file's annotations."""
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO(file)
    return [described(coco.annToRLE(annotation)) for annotation in coco.dataset["annotations"]]


def mask_case(rng: Generator) -> Case:
    width, height = (int(side) for side in rng.choice([1, 2, 7, 16, 33, 60], 2))
    count = int(rng.integers(1, 5))
    segmentations = [segmentation(rng, width, height, may_be_empty=count <= 2) for _ in range(count)]
    masks = [mask_of(each, width, height) for each in segmentations]
    iscrowd = [int(crowd) for crowd in rng.random(len(masks)) < 0.3]
    return {
        "width": width,
        "height": height,
        "segmentations": segmentations,
        "iscrowd": iscrowd,
        "masks": [described(mask) for mask in masks],
        "iou": reference.iou(masks, masks, iscrowd).ravel().tolist(),
        "union": reference.merge(masks)["counts"].decode(),
        "intersection": reference.merge(masks, intersect=True)["counts"].decode(),
    }


def described(mask: Case) -> Case:
    text = mask["counts"]
    return {
        "counts": text.decode() if isinstance(text, bytes) else text,
        "area": int(reference.area(mask)),
        "box": reference.toBbox(mask).tolist(),
    }


def mask_of(segmentation: Case, width: int, height: int) -> Case:
    if "polygons" in segmentation:
        merged: Case = reference.merge(reference.frPyObjects(segmentation["polygons"], height, width))
        return merged
    if "box" in segmentation:
        box: Case = reference.frPyObjects(np.array([segmentation["box"]], np.double), height, width)[0]
        return box
    runs: Case = reference.frPyObjects({"size": [height, width], "counts": segmentation["counts"]}, height, width)
    return runs


def segmentation(rng: Generator, width: int, height: int, may_be_empty: bool) -> Case:
    kind = rng.random()
    if kind < 0.6:
        return {"polygons": [polygon(rng, width, height) for _ in range(rng.choice([1, 1, 1, 2, 3]))]}
    if kind < 0.7:
        corner = coordinates(rng, 1, width, height)
        return {"box": [*corner, *(abs(side) for side in coordinates(rng, 1, width, height))]}
    return {"counts": counts(rng, width * height, may_be_empty)}


def polygon(rng: Generator, width: int, height: int) -> list[float]:
    corners = coordinates(rng, int(rng.choice([3, 3, 4, 5, 8, 40])), width, height)
    if rng.random() < 0.2:
        corners[2:4] = corners[:2]
    if rng.random() < 0.1:
        corners[-2:] = corners[:2]
    return corners


def coordinates(rng: Generator, corners: int, width: int, height: int) -> list[float]:
    """Inside, around or far around the image; on whole pixels, on tenths or anywhere."""
    margin = rng.choice([0, 0, 0.3, 3, 100])
    share = rng.random((corners, 2)) * (1 + 2 * margin) - margin
    points = share * [width, height]
    digits = rng.choice([0, 0, 1, 1, 2, 15])
    return [float(value) for value in np.round(points, int(digits)).ravel()]


def counts(rng: Generator, pixels: int, may_be_empty: bool) -> list[int]:
    """Runs that fill the image.

    Empty ones are few, since pycocotools has memory for one run a pixel, and only where two masks at most are merged:
    of two with an empty run at the same pixel it makes one that does not fill the image, which it cannot merge further.
    """
    ends = np.sort(rng.integers(0, pixels + 1, rng.integers(0, 9)))
    if rng.random() < 0.3:
        ends = np.sort(rng.choice([*ends, 0, pixels, pixels // 2], len(ends) + 3))
    if not may_be_empty or len(ends) * 4 > pixels or rng.random() < 0.5:
        ends = np.unique(ends)
    return [int(count) for count in np.diff(ends, prepend=0, append=pixels)]
