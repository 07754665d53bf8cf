"""Random detections with the error split of tidecv.

A case is {categories, images, gt, dt, expected}: rows as in golden_coco, without crowds. No two scores or IoUs are
equal, because tidecv orders ties in its own way.
"""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from golden_coco import Case
from numpy.random import Generator
from tidecv import TIDE
from tidecv.ap import ClassedAPDataObject
from tidecv.data import Data


def tide_cases(seed: int, count: int) -> list[Case]:
    rng = np.random.default_rng(seed)
    cases = [tide_case(rng) for _ in range(count)]
    names = ("id", "image_id", "category_id")
    for case in cases:
        annotations = [
            {**dict(zip(names, row, strict=False)), "bbox": row[3:7], "iscrowd": row[8]} for row in case["gt"]
        ]
        results = [{"image_id": row[0], "category_id": row[1], "bbox": row[2:6], "score": row[6]} for row in case["dt"]]
        case["expected"] = tide_reference(annotations, results)
    return cases


def tide_case(rng: Generator) -> Case:
    """Detections with each kind of error: moved, of another class, twice, from nowhere; some ground truth is missed."""
    categories = list(range(1, int(rng.integers(3, 7))))
    images = list(range(1, int(rng.integers(2, 9))))
    with_objects = categories[: len(categories) - int(rng.random() < 0.3)]
    classes = [*with_objects, *(int(c) for c in rng.choice(with_objects, 3 * len(images)))]
    gt: list[list[float]] = []
    for category in classes:
        box = random_box(rng)
        gt.append([len(gt) + 1, int(rng.choice(images)), category, *box, box[2] * box[3], 0])
    dt = [row for truth in gt for row in detections_of(rng, truth, categories)]
    dt += [[int(rng.choice(images)), int(rng.choice(categories)), *random_box(rng), 0] for _ in range(len(images))]
    for row, score in zip(dt, rng.permutation(len(dt)) + 1, strict=True):
        row[6] = float(score) / (len(dt) + 1)
    return {"categories": categories, "images": images, "gt": gt, "dt": dt, "options": {"useCats": 1}}


def random_box(rng: Generator) -> list[float]:
    return [float(v) for v in [*rng.uniform(0, 200, 2), *rng.uniform(20, 120, 2)]]


def detections_of(rng: Generator, truth: list[float], categories: list[int]) -> list[list[float]]:
    rows = []
    for _ in range(rng.integers(0, 4)):
        shift = rng.normal(0, float(rng.choice([2, 10, 30])), 4)
        x, y, w, h = (float(v + d) for v, d in zip(truth[3:7], shift, strict=True))
        category = int(rng.choice(categories)) if rng.random() < 0.3 else int(truth[2])
        rows.append([int(truth[1]), category, x, y, max(w, 5.0), max(h, 5.0), 0.0])
    return rows


def tide_of_files(gt: Path, dt: Path) -> Case:
    """The error split of COCO files, with equal scores made different."""
    results = [
        {**result, "score": result["score"] - row * 1e-9} for row, result in enumerate(json.loads(dt.read_text()))
    ]
    return tide_reference(json.loads(gt.read_text())["annotations"], results)


def tide_reference(annotations: list[Case], results: list[Case]) -> Case:
    """Fractions: the AP at IoU 0.5 and what fixing each kind of error adds to it; and how many errors there are."""
    gt, dt = Data("gt"), Data("dt")
    for annotation in annotations:
        add = gt.add_ignore_region if annotation["iscrowd"] else gt.add_ground_truth
        add(annotation["image_id"], annotation["category_id"], box=annotation["bbox"])
    for result in results:
        gt.add_image(result["image_id"], str(result["image_id"]))
        dt.add_detection(result["image_id"], result["category_id"], result["score"], box=result["bbox"])
    with only_classes({annotation["category_id"] for annotation in annotations if not annotation["iscrowd"]}):
        run = TIDE().evaluate(gt, dt)
        gained: dict[Any, float] = {**run.fix_main_errors(), **run.fix_special_errors()}
    return {
        "ap": run.ap / 100,
        "gained": {error.short_name: float(value) / 100 for error, value in gained.items()},
        "counts": {error.short_name: count for error, count in run.count_errors().items()},
    }


@contextlib.contextmanager
def only_classes(classes: set[int]) -> Iterator[None]:
    """Classes without ground truth stay out of the mean, as in COCO; tidecv gives them an AP of 0."""

    def mean_of_classes(self: Any) -> float:
        values = [data.get_ap() for k, data in self.objs.items() if k in classes and not data.is_empty()]
        return sum(values) / len(values) if values else 0.0

    original = ClassedAPDataObject.get_mAP
    ClassedAPDataObject.get_mAP = mean_of_classes
    try:
        yield
    finally:
        ClassedAPDataObject.get_mAP = original
