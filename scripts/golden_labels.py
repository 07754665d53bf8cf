"""Random boxes and scores with what the references make of them, for test/golden/labels.json.

A case is {kind, ...inputs, expected}; boxes are xyxy px. Soft-NMS and matrix NMS are the formulas of their papers in
numpy, isotonic regression is scikit-learn's, temperature is logistic regression without intercept by scikit-learn, and
weighted box fusion is that of ensemble-boxes. Of that only one file is loaded, because the package imports numba.
"""

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

Case = dict[str, Any]
Floats = NDArray[np.float64]

SIDE_PX = 64


def label_cases(seed: int) -> list[Case]:
    rng = np.random.default_rng(seed)
    fusion = load_fusion()
    return [
        *(soft_nms_case(rng) for _ in range(12)),
        *(matrix_nms_case(rng) for _ in range(12)),
        *(fusion_case(rng, fusion) for _ in range(16)),
        *(isotonic_case(rng) for _ in range(12)),
        *(temperature_case(rng) for _ in range(8)),
    ]


def random_boxes(rng: Generator, count: int) -> Floats:
    """On a grid of quarters of a px, many of them close to another."""
    centers = rng.integers(8, SIDE_PX - 8, (max(1, count // 3), 2))
    corners = centers[rng.integers(0, len(centers), count)] + rng.integers(-12, 12, (count, 2)) / 4
    boxes = np.concatenate(
        [corners - rng.integers(16, 32, (count, 2)) / 4, corners + rng.integers(16, 32, (count, 2)) / 4], 1
    )
    return np.asarray(np.clip(boxes, 0, SIDE_PX), dtype=np.float64)


def pair_ious(boxes: Floats) -> Floats:
    corner = np.maximum(boxes[:, None, :2], boxes[None, :, :2])
    extent = np.clip(np.minimum(boxes[:, None, 2:], boxes[None, :, 2:]) - corner, 0, None)
    shared = extent[..., 0] * extent[..., 1]
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    return np.asarray(shared / (areas[:, None] + areas[None, :] - shared))


def soft_nms_case(rng: Generator) -> Case:
    count, classes = int(rng.integers(1, 24)), int(rng.integers(1, 4))
    boxes, scores, groups = random_boxes(rng, count), rng.random(count), rng.integers(0, classes, count)
    decay = (
        {"kind": "linear", "iouThreshold": float(rng.choice([0.3, 0.5]))}
        if rng.random() < 0.5
        else {"kind": "gaussian", "sigma": float(rng.choice([0.3, 0.5]))}
    )
    threshold = float(rng.choice([0.0, 0.05, 0.3]))
    kept, decayed = soft_nms(pair_ious(boxes), scores.copy(), groups, decay, threshold)
    case = {"kind": "soft_nms", "decay": decay, "score_threshold": threshold, **columns(boxes, scores, groups)}
    return {**case, "expected": {"kept": kept, "scores": decayed}}


def soft_nms(
    ious: Floats, scores: Floats, groups: NDArray[np.int64], decay: Case, threshold: float
) -> tuple[list[int], list[float]]:
    """The pseudocode of the paper, figure 2, with equation 4 or 5."""
    rest, kept, decayed = list(range(len(scores))), [], []
    while rest:
        best = rest[int(np.argmax(scores[rest]))]
        if scores[best] < threshold:
            break
        rest.remove(best)
        kept.append(best)
        decayed.append(float(scores[best]))
        for other in rest:
            iou = ious[best, other]
            if groups[other] != groups[best]:
                continue
            if decay["kind"] == "gaussian":
                scores[other] *= np.exp(-(iou**2) / decay["sigma"])
            elif iou >= decay["iouThreshold"]:
                scores[other] *= 1 - iou
    return kept, decayed


def matrix_nms_case(rng: Generator) -> Case:
    count, classes = int(rng.integers(1, 24)), int(rng.integers(1, 4))
    boxes, scores, groups = random_boxes(rng, count), rng.random(count), rng.integers(0, classes, count)
    kernel: Case = {"kind": "linear"} if rng.random() < 0.5 else {"kind": "gaussian", "sigma": 0.5}
    order = np.argsort(-scores, kind="stable")
    same = groups[order][:, None] == groups[order][None, :]
    ious = np.triu(pair_ious(boxes[order]) * same, 1)
    decayed = np.empty(count)
    decayed[order] = scores[order] * matrix_decay(ious, kernel)
    case = {"kind": "matrix_nms", "kernel": kernel, **columns(boxes, scores, groups)}
    return {**case, "expected": decayed.tolist()}


def matrix_decay(ious: Floats, kernel: Case) -> Floats:
    """Appendix of the paper: ious is upper triangular, rows and columns by descending score."""
    most = np.repeat(ious.max(0)[:, None], len(ious), 1)
    if kernel["kind"] == "linear":
        return np.asarray(((1 - ious) / (1 - most)).min(0))
    return np.asarray(np.exp(-(ious**2 - most**2) / kernel["sigma"]).min(0))


def load_fusion() -> ModuleType:
    package = importlib.util.find_spec("ensemble_boxes")
    if package is None or package.origin is None:
        raise ModuleNotFoundError("No module named 'ensemble_boxes'")
    file = Path(package.origin).with_name("ensemble_boxes_wbf.py")
    spec = importlib.util.spec_from_file_location("ensemble_boxes_wbf", file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def fusion_case(rng: Generator, fusion: ModuleType) -> Case:
    """Scores are all different: ensemble-boxes leaves the order of equal ones open."""
    sizes = rng.integers(0, 14, int(rng.integers(1, 4)))
    classes = int(rng.integers(1, 4))
    boxes = np.split(random_boxes(rng, int(sizes.sum())), np.cumsum(sizes)[:-1])
    scores = np.split(rng.random(int(sizes.sum())), np.cumsum(sizes)[:-1])
    labels = [rng.integers(0, classes, size) for size in sizes]
    options = {
        "iouThreshold": float(rng.choice([0.4, 0.55])),
        "minScore": float(rng.choice([0.0, 0.2])),
        "weights": [float(weight) for weight in rng.choice([1.0, 2.0], len(sizes))],
        "confidence": str(rng.choice(["average", "max"])),
    }
    fused = fusion.weighted_boxes_fusion(
        [(part / SIDE_PX).tolist() for part in boxes],
        [part.tolist() for part in scores],
        [part.tolist() for part in labels],
        weights=options["weights"],
        iou_thr=options["iouThreshold"],
        skip_box_thr=options["minScore"],
        conf_type={"average": "avg", "max": "max"}[str(options["confidence"])],
    )
    models = [columns(*part) for part in zip(boxes, scores, labels, strict=True)]
    expected = columns(np.asarray(fused[0]) * SIDE_PX, np.asarray(fused[1]), np.asarray(fused[2], dtype=np.int64))
    return {"kind": "fusion", "models": models, "options": options, "expected": expected}


def isotonic_case(rng: Generator) -> Case:
    """Scores on a coarse grid in half of the cases, so that many are equal."""
    count = int(rng.integers(1, 40))
    scores = rng.random(count) if rng.random() < 0.5 else rng.integers(0, 9, count) / 8
    right = (rng.random(count) < scores).astype(np.int64)
    asked = np.linspace(0, 1, 21)
    model = IsotonicRegression(out_of_bounds="clip").fit(scores, right)
    case = {"kind": "isotonic", "scores": scores.tolist(), "is_right": right.tolist(), "asked": asked.tolist()}
    return {**case, "expected": model.predict(asked).tolist()}


def temperature_case(rng: Generator) -> Case:
    count = int(rng.integers(30, 80))
    scores = rng.uniform(0.02, 0.98, count)
    logits = np.log(scores / (1 - scores))
    right = (rng.random(count) < 1 / (1 + np.exp(-logits / rng.uniform(0.7, 3)))).astype(np.int64)
    model = LogisticRegression(fit_intercept=False, C=np.inf, tol=1e-12, max_iter=1000).fit(logits[:, None], right)
    case = {"kind": "temperature", "scores": scores.tolist(), "is_right": right.tolist()}
    return {**case, "expected": 1 / float(model.coef_[0, 0])}


def columns(boxes: Floats, scores: Floats, classes: NDArray[np.int64]) -> Case:
    return {"boxXyxy": boxes.ravel().tolist(), "score": scores.tolist(), "classIndex": classes.tolist()}
