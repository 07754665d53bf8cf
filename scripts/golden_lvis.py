"""Random federated evaluations with the results of the lvis package.

A case is {images, categories, gt, dt, maxDets, expected}: records of an LVIS file; rows [id, image, category, x, y, w,
h, area] and [image, category, x, y, w, h, score]; the SHA-256 of the package's arrays and its thirteen numbers.
"""

import json
import logging
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from golden_coco import Case, coco_box, coco_detection, sha256_of
from numpy.random import Generator

# The package asks for a name that numpy has dropped.
np.float = float  # type: ignore[attr-defined]

from lvis import LVIS, LVISEval, LVISResults  # noqa: E402


def lvis_cases(seed: int, count: int) -> list[Case]:
    rng = np.random.default_rng(seed)
    logging.disable(logging.WARNING)
    cases = [lvis_case(rng) for _ in range(count)]
    for case in cases:
        case["expected"] = lvis_reference(case)
    return cases


def lvis_case(rng: Generator) -> Case:
    """Few levels of everything; each image is checked for some classes only."""
    ids = [int(c) for c in rng.choice(90, size=rng.integers(2, 6), replace=False)]
    categories = [{"id": c, "name": str(c), "frequency": str(rng.choice(["r", "c", "f"]))} for c in ids]
    images: list[dict[str, Any]] = [
        {
            "id": int(i),
            "neg_category_ids": some_of(rng, ids),
            "not_exhaustive_category_ids": some_of(rng, ids),
        }
        for i in rng.choice(40, size=rng.integers(1, 5), replace=False)
    ]
    image_ids = [image["id"] for image in images]
    gt: list[list[float]] = []
    for image in image_ids:
        for _ in range(rng.integers(0, 6)):
            box = coco_box(rng)
            area = box[2] * box[3] * float(rng.choice([1, 1, 0.5, 0], p=[0.4, 0.4, 0.15, 0.05]))
            gt.append([len(gt) + 1, image, int(rng.choice(ids)), *box, area])
    dt = [coco_detection(rng, gt, image_ids, [*ids, *ids, 99]) for _ in range(rng.integers(1, 20))]
    if rng.random() < 0.2:
        dt[0][4] = 0.0
    return {
        "images": images,
        "categories": categories,
        "gt": gt,
        "dt": dt,
        "maxDets": int(rng.choice([2, 5, 300])),
    }


def some_of(rng: Generator, ids: list[int]) -> list[int]:
    return [c for c in ids if rng.random() < 0.4]


def lvis_reference(case: Case) -> Case:
    gt = lvis_ground_truth(case)
    results = [{"image_id": row[0], "category_id": row[1], "bbox": row[2:6], "score": row[6]} for row in case["dt"]]
    evaluation = LVISEval(gt, LVISResults(gt, results, max_dets=case["maxDets"]), "bbox")
    evaluation.run()
    return {
        "precision": sha256_of(evaluation.eval["precision"]),
        "recall": sha256_of(evaluation.eval["recall"]),
        "results": [float(value) for value in evaluation.get_results().values()],
    }


def lvis_ground_truth(case: Case) -> Any:
    names = ("id", "image_id", "category_id")
    annotations = [{**dict(zip(names, row, strict=False)), "bbox": row[3:7], "area": row[7]} for row in case["gt"]]
    content = {"images": case["images"], "categories": case["categories"], "annotations": annotations}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "gt.json")
        path.write_text(json.dumps(content))
        return LVIS(str(path))
