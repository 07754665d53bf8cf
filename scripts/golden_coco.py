"""Random evaluations with pycocotools' results.

A case is {categories, images, gt, dt, options, expected}: ids; rows [id, image, category, x, y, w, h, area, iscrowd]
and [image, category, x, y, w, h, score]; pycocotools' parameters by their own names; the SHA-256 of its arrays.
"""

import contextlib
import hashlib
import io
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

Case = dict[str, Any]


def coco_cases(seed: int, count: int) -> list[Case]:
    rng = np.random.default_rng(seed)
    cases = [coco_case(rng) for _ in range(count)]
    for case in cases:
        case["expected"] = coco_reference(case)
    return cases


def coco_case(rng: Generator) -> Case:
    """Few levels of everything, so that ties, crowds, borders of size classes, ids 0 and foreign classes are common."""
    images = [int(i) for i in rng.choice(40, size=rng.integers(1, 5), replace=False)]
    categories = [int(c) for c in rng.choice(90, size=rng.integers(1, 4), replace=False)]
    any_category = [*categories, *categories, *categories, 99]
    gt: list[list[float]] = []
    for image in [*images, 1000]:
        for _ in range(rng.integers(0, 5)):
            box = coco_box(rng)
            area = box[2] * box[3] * float(rng.choice([1, 1, 0.5]))
            gt.append([0, image, int(rng.choice(any_category)), *box, area, int(rng.random() < 0.2)])
    ids = rng.permutation(len(gt)) + int(rng.choice([0, 1, 1, 1, -2]))
    for row, identity in zip(gt, ids, strict=True):
        row[0] = int(identity)
    if len(gt) > 1 and rng.random() < 0.1:
        gt[0][0] = gt[1][0]
    dt = [coco_detection(rng, gt, images, any_category) for _ in range(rng.integers(0, 16))]
    options = coco_options(rng, images, categories)
    return {"categories": categories, "images": images, "gt": gt, "dt": dt, "options": options}


def coco_box(rng: Generator) -> list[float]:
    sides = [8, 32, 48, 96, 128]
    return [float(v) for v in [*rng.integers(0, 5, 2) * 8, rng.choice(sides), rng.choice(sides)]]


def coco_detection(rng: Generator, gt: list[list[float]], images: list[int], categories: list[int]) -> list[float]:
    score = float(rng.choice([-0.0, 0.0, 0.1, 0.25, 0.5, 0.5, 0.9, 1.0]))
    near = [row for row in gt if row[1] in images]
    if not near or rng.random() < 0.2:
        return [int(rng.choice(images)), int(rng.choice(categories)), *coco_box(rng), score]
    source = near[rng.integers(len(near))]
    box = [float(v + d) for v, d in zip(source[3:7], rng.choice([-2.0, 0.0, 0.0, 0.0, 1.0, 2.5, 7.0], 4), strict=True)]
    category = source[2] if rng.random() < 0.8 else int(rng.choice(categories))
    return [source[1], category, *box, score]


def coco_options(rng: Generator, images: list[int], categories: list[int]) -> Case:
    options: Case = {"useCats": int(rng.random() < 0.6)}
    if rng.random() < 0.4:
        lists = [[100, 1, 10], [1, 2, 3], [0, 1, 100], [2], [1, 1, 100], [100, 100, 100], [1, 5, 100, 300]]
        options["maxDets"] = lists[rng.integers(len(lists))]
    if rng.random() < 0.2:
        options["imgIds"] = [*(int(i) for i in rng.permutation(images)[: rng.integers(1, 3)]), 777]
    if rng.random() < 0.2:
        options["catIds"] = [*(int(c) for c in rng.permutation(categories)[: rng.integers(1, 3)]), 95]
    if rng.random() < 0.2:
        thresholds = [[0.5, 0.75, 1.0], [0.75, 0.3, 0.5, 0.5], [0.0, 0.95]]
        options["iouThrs"] = thresholds[rng.integers(len(thresholds))]
    if rng.random() < 0.15:
        options["areaRng"] = [[0, 1024], [1024, 1e10]]
        options["areaRngLbl"] = [["all", "large"], ["small", "all"]][rng.integers(2)]
    return options


def match_cases(seed: int, count: int) -> list[Case]:
    """Instead of `expected`: `matches`, the images that have annotations, as pycocotools matched them."""
    rng = np.random.default_rng(seed)
    cases = [coco_case(rng) for _ in range(count)]
    for case in cases:
        case["matches"] = match_reference(*coco_records(case), "bbox", case["options"])
    return cases


def match_reference(ground_truth: Case, results: list[Case], iou_type: str, options: Case) -> list[Case]:
    """Which ids pycocotools matches, of COCO records, which it changes."""
    with contextlib.redirect_stdout(io.StringIO()):
        evaluation = evaluated(ground_truth, results, iou_type, options)
    all_areas = evaluation.params.areaRng[evaluation.params.areaRngLbl.index("all")]
    names = ("dtIds", "dtMatches", "dtIgnore", "gtIds", "gtIgnore", "gtMatches")
    return [
        {"image": int(found["image_id"]), "category": int(found["category_id"])}
        | {name: np.asarray(found[name], dtype=float).tolist() for name in names}
        for found in evaluation.evalImgs
        if found is not None and found["aRng"] == all_areas
    ]


def evaluated(ground_truth: Case, results: list[Case], iou_type: str, options: Case) -> Any:
    evaluation = COCOeval(*coco_objects(ground_truth, results), iou_type)
    for name, value in options.items():
        setattr(evaluation.params, name, np.array(value) if name == "iouThrs" else value)
    evaluation.evaluate()
    return evaluation


def coco_reference(case: Case) -> Case:
    return reference(*coco_records(case), "bbox", case["options"])


def coco_records(case: Case) -> tuple[Case, list[Case]]:
    names = ("id", "image_id", "category_id")
    ground_truth = {
        "images": [{"id": image} for image in case["images"]],
        "categories": [{"id": category, "name": str(category)} for category in case["categories"]],
        "annotations": [
            {**dict(zip(names, row, strict=False)), "bbox": row[3:7], "area": row[7], "iscrowd": row[8]}
            for row in case["gt"]
        ],
    }
    results = [{"image_id": row[0], "category_id": row[1], "bbox": row[2:6], "score": row[6]} for row in case["dt"]]
    return ground_truth, results


def reference(ground_truth: Case, results: list[Case], iou_type: str, options: Case) -> Case:
    """What pycocotools makes of COCO records, which it changes."""
    with contextlib.redirect_stdout(io.StringIO()):
        evaluation = evaluated(ground_truth, results, iou_type, options)
        evaluation.accumulate()
        with contextlib.suppress(IndexError):
            evaluation.summarize()
    arrays = {name: sha256_of(evaluation.eval[name]) for name in ("precision", "recall", "scores")}
    return {**arrays, "stats": [float(value) for value in evaluation.stats]}


def coco_objects(ground_truth: Case, results: list[Case]) -> tuple[Any, Any]:
    gt, dt = COCO(), COCO()
    gt.dataset = ground_truth
    gt.createIndex()
    if results:
        return gt, gt.loadRes(results)
    dt.dataset = {**gt.dataset, "annotations": []}
    dt.createIndex()
    return gt, dt


def sha256_of(array: NDArray[np.float64]) -> str:
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()
