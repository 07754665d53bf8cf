"""Random evaluations of masks with pycocotools' results.

A case is {ground_truth, results, iou_type, options, expected}: COCO records; "segm", or "bbox" with boxes that are
those of masks; the rest as in golden_coco.py.
"""

import copy
from typing import Any

import numpy as np
from golden_coco import coco_options, match_reference, reference
from numpy.random import Generator
from numpy.typing import NDArray
from pycocotools import mask as masks

Case = dict[str, Any]
Bitmap = NDArray[np.uint8]


def segm_cases(seed: int, count: int) -> list[Case]:
    rng = np.random.default_rng(seed)
    cases = [segm_case(rng) for _ in range(count)]
    for case in cases:
        records = copy.deepcopy((case["ground_truth"], case["results"]))
        case["expected"] = reference(*records, case["iou_type"], case["options"])
    return cases


def segm_match_cases(seed: int, count: int) -> list[Case]:
    """Instead of `expected`: `matches`, as in golden_coco.py."""
    rng = np.random.default_rng(seed)
    cases = [segm_case(rng) for _ in range(count)]
    for case in cases:
        records = copy.deepcopy((case["ground_truth"], case["results"]))
        case["matches"] = match_reference(*records, case["iou_type"], case["options"])
    return cases


def segm_case(rng: Generator) -> Case:
    """Few levels of everything, as for boxes; masks of all sizes, some of another size than their image."""
    ids = [int(i) for i in rng.choice(40, size=rng.integers(1, 4), replace=False)]
    images = [{"id": i, "width": int(rng.choice([40, 130])), "height": int(rng.choice([33, 120]))} for i in ids]
    categories = [int(c) for c in rng.choice(90, size=rng.integers(1, 4), replace=False)]
    annotations = [annotation(rng, images, categories) for _ in range(rng.integers(1, 13))]
    for row, identity in enumerate(rng.permutation(len(annotations)) + int(rng.choice([0, 1, 1, 1]))):
        annotations[row]["id"] = int(identity)
    has_boxes = rng.random() < 0.4
    results = [result(rng, annotations, images, categories, has_boxes) for _ in range(rng.integers(0, 16))]
    if not has_boxes:
        for made in results[1:4]:
            made["bbox"] = [0.0, 0.0, 40.0, 30.0]
    return {
        "ground_truth": {
            "images": images,
            "categories": [{"id": category, "name": str(category)} for category in categories],
            "annotations": annotations,
        },
        "results": results,
        "iou_type": "segm" if has_boxes or rng.random() < 0.8 else "bbox",
        "options": coco_options(rng, ids, categories),
    }


def annotation(rng: Generator, images: list[Case], categories: list[int]) -> Case:
    image = images[rng.integers(len(images))]
    segmentation = random_segmentation(rng, image["width"], image["height"])
    mask = mask_of(segmentation, image)
    return {
        "image_id": image["id"],
        "category_id": int(rng.choice([*categories, *categories, 99])),
        "segmentation": segmentation,
        "bbox": masks.toBbox(mask).tolist(),
        "area": float(masks.area(mask)) * float(rng.choice([1, 1, 0.5, 20])),
        "iscrowd": int(rng.random() < 0.2),
    }


def random_segmentation(rng: Generator, width: int, height: int) -> Any:
    if rng.random() < 0.6:
        return [polygon(rng, width, height) for _ in range(rng.choice([1, 1, 2]))]
    if rng.random() < 0.05:
        width, height = height, width
    blob = masks.decode(masks.merge(masks.frPyObjects([polygon(rng, width, height)], height, width)))
    return runs(rng, blob)


def polygon(rng: Generator, width: int, height: int) -> list[float]:
    """Around the image's center, so that masks overlap; it may leave the image."""
    corners = int(rng.choice([3, 4, 4, 12]))
    angles = np.sort(rng.random(corners)) * 2 * np.pi
    radius = rng.choice([3, 12, 25, 70]) * rng.uniform(0.7, 1, corners)
    center = np.array([width, height]) * rng.choice([0.3, 0.5, 0.5, 0.9], 2)
    points = center + radius[:, None] * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return [float(value) for value in np.round(points, int(rng.choice([0, 1, 6]))).ravel()]


def runs(rng: Generator, blob: Bitmap) -> Case:
    """Compressed, or as a list of numbers."""
    compressed = masks.encode(np.asfortranarray(blob))
    if rng.random() < 0.5:
        return {"size": compressed["size"], "counts": compressed["counts"].decode()}
    pixels = blob.ravel(order="F")
    ends = [*(int(end) for end in np.flatnonzero(np.diff(pixels, prepend=0))), pixels.size]
    return {"size": compressed["size"], "counts": [int(count) for count in np.diff(ends, prepend=0)]}


def mask_of(segmentation: Any, image: Case) -> Any:
    made = (
        masks.frPyObjects(segmentation, image["height"], image["width"]) if is_not_text(segmentation) else segmentation
    )
    return masks.merge(made) if isinstance(made, list) else made


def is_not_text(segmentation: Any) -> bool:
    return isinstance(segmentation, list) or isinstance(segmentation["counts"], list)


def result(rng: Generator, annotations: list[Case], images: list[Case], categories: list[int], has_box: bool) -> Case:
    """A mask near that of an annotation, or any. With a box it may have a mask of any form, or none."""
    source = annotations[rng.integers(len(annotations))]
    image = next(image for image in images if image["id"] == source["image_id"])
    if rng.random() < 0.2:
        mask = mask_of(random_segmentation(rng, image["width"], image["height"]), image)
    else:
        mask = mask_of(source["segmentation"], image)
    moved = np.roll(masks.decode(mask), rng.choice([-3, -1, 0, 0, 1], 2), axis=(0, 1))
    compressed = masks.encode(np.asfortranarray(moved))
    made: Case = {
        "image_id": image["id"],
        "category_id": source["category_id"] if rng.random() < 0.8 else int(rng.choice(categories)),
        "segmentation": {"size": compressed["size"], "counts": compressed["counts"].decode()},
        "score": float(rng.choice([-0.0, 0.0, 0.1, 0.25, 0.5, 0.5, 0.9, 1.0])),
    }
    if has_box:
        shift = rng.choice([-1.0, 0.0, 0.5], 4)
        made["bbox"] = [float(value) for value in masks.toBbox(compressed) + shift]
        if rng.random() < 0.3:
            made["segmentation"] = random_segmentation(rng, image["width"], image["height"])
        elif rng.random() < 0.3:
            del made["segmentation"]
    return made
