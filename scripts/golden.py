"""Rewrites the golden vectors of evaluation with the references that it must equal: pycocotools, Pillow and torchvision.

    .venv/bin/python scripts/golden.py                                rewrites test/golden/
    .venv/bin/python scripts/golden.py coco-cases --seed 1 --count 9   prints random evaluations with pycocotools' results
    .venv/bin/python scripts/golden.py letterbox 256 192 photo.jpg     prints the SHA-256 of each letterboxed photo

The same versions of the references give the same bytes.
"""

import argparse
import base64
import contextlib
import hashlib
import io
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image

GOLDEN = Path(__file__).parents[1] / "test" / "golden"
Case = dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command")
    coco = commands.add_parser("coco-cases")
    coco.add_argument("--seed", type=int, required=True)
    coco.add_argument("--count", type=int, required=True)
    box = commands.add_parser("letterbox")
    box.add_argument("width_px", type=int)
    box.add_argument("height_px", type=int)
    box.add_argument("files", nargs="+")
    arguments = parser.parse_args()
    if arguments.command == "coco-cases":
        print(json.dumps(coco_cases(arguments.seed, arguments.count)))
    elif arguments.command == "letterbox":
        size = (arguments.width_px, arguments.height_px)
        for file in arguments.files:
            print(sha256(letterbox(Image.open(file).convert("RGB"), *size)))
    else:
        rewrite()


def rewrite() -> None:
    GOLDEN.mkdir(parents=True, exist_ok=True)
    write_lines("coco.json", coco_cases(seed=0, count=24))
    write_lines("resize.json", resize_cases())
    write_lines("detections.json", detection_cases())
    (GOLDEN / "detections-model.onnx").write_bytes(detections_model())


def write_lines(name: str, cases: list[Case]) -> None:
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    (GOLDEN / name).write_text(f"[\n{lines}\n]\n")


def sha256(array: NDArray[Any]) -> str:
    return hashlib.sha256(array.tobytes()).hexdigest()


# The COCO metric. A case is {categories, images, gt, dt, options, expected}: ids; rows [id, image, category, x, y, w, h, area,
# iscrowd] and [image, category, x, y, w, h, score]; pycocotools' parameters by their own names; SHA-256 of its arrays.


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
    box = [float(v + d) for v, d in zip(source[3:7], rng.choice([-2, 0, 0, 0, 1, 2.5, 7], 4), strict=True)]
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
        lists = [[0.5, 0.75, 1.0], [0.75, 0.3, 0.5, 0.5], [0.0, 0.95]]
        options["iouThrs"] = lists[rng.integers(len(lists))]
    if rng.random() < 0.15:
        options["areaRng"] = [[0, 1024], [1024, 1e10]]
        options["areaRngLbl"] = [["all", "large"], ["small", "all"]][rng.integers(2)]
    return options


def coco_reference(case: Case) -> Case:
    from pycocotools.cocoeval import COCOeval

    with contextlib.redirect_stdout(io.StringIO()):
        evaluation = COCOeval(*coco_objects(case), "bbox")
        for name, value in case["options"].items():
            setattr(evaluation.params, name, np.array(value) if name == "iouThrs" else value)
        evaluation.evaluate()
        evaluation.accumulate()
        with contextlib.suppress(IndexError):
            evaluation.summarize()
    arrays = {name: sha256(np.ascontiguousarray(evaluation.eval[name])) for name in ("precision", "recall", "scores")}
    return {**arrays, "stats": [float(value) for value in evaluation.stats]}


def coco_objects(case: Case) -> tuple[Any, Any]:
    from pycocotools.coco import COCO

    gt, dt = COCO(), COCO()
    names = ("id", "image_id", "category_id")
    gt.dataset = {
        "images": [{"id": image} for image in case["images"]],
        "categories": [{"id": category, "name": str(category)} for category in case["categories"]],
        "annotations": [
            {**dict(zip(names, row, strict=False)), "bbox": row[3:7], "area": row[7], "iscrowd": row[8]}
            for row in case["gt"]
        ],
    }
    gt.createIndex()
    results = [{"image_id": row[0], "category_id": row[1], "bbox": row[2:6], "score": row[6]} for row in case["dt"]]
    if results:
        return gt, gt.loadRes(results)
    dt.dataset = {**gt.dataset, "annotations": []}
    dt.createIndex()
    return gt, dt


# Pillow's bilinear resize (13.0 or later: before, the order of its passes was another) and the letterbox around it. Pixels are base64 of HWC bytes.


def letterbox(image: Image.Image, width_px: int, height_px: int) -> NDArray[np.uint8]:
    scale = min(width_px / image.width, height_px / image.height)
    new_width = max(1, math.floor(image.width * scale + 0.5))
    new_height = max(1, math.floor(image.height * scale + 0.5))
    resized = image.resize((new_width, new_height), Image.Resampling.BILINEAR)
    canvas = np.full((height_px, width_px, 3), 127, np.uint8)
    canvas[:new_height, :new_width] = np.asarray(resized)
    return canvas


RESIZES = [(7, 5, 7, 5), (7, 5, 13, 11), (13, 11, 7, 5), (16, 3, 5, 9), (3, 16, 9, 5), (1, 1, 4, 3), (9, 9, 1, 1)]
RESIZES += [(31, 2, 8, 2), (2, 31, 2, 8), (20, 15, 19, 14), (10, 20, 7, 14), (10, 20, 7, 13)]
LETTERBOXES = [
    (20, 15, 8, 8),
    (15, 20, 8, 8),
    (5, 4, 12, 12),
    (40, 1, 8, 8),
    (8, 8, 8, 8),
    (10, 7, 16, 6),
    (7, 30, 8, 12),
]


def resize_cases() -> list[Case]:
    rng = np.random.default_rng(0)
    cases: list[Case] = []
    for kind, sizes in (("resize", RESIZES), ("letterbox", LETTERBOXES)):
        for width, height, to_width, to_height in sizes:
            levels = np.array([0, 1, 127, 128, 254, 255, *rng.integers(0, 256, 6)], np.uint8)
            pixels = rng.choice(levels, (height, width, 3))
            image = Image.fromarray(pixels)
            resized = image.resize((to_width, to_height), Image.Resampling.BILINEAR)
            expected = np.asarray(resized) if kind == "resize" else letterbox(image, to_width, to_height)
            size = {"width_px": width, "height_px": height, "to_width_px": to_width, "to_height_px": to_height}
            cases.append({"kind": kind, **size, "pixels": base64_of(pixels), "expected": base64_of(expected)})
    return cases


def base64_of(pixels: NDArray[np.uint8]) -> str:
    return base64.b64encode(pixels.tobytes()).decode()


# Dense model output to detections, by torchvision. Boxes on a quarter-pixel grid and scores in 1/256, so that every product is
# exact and the references' offsets between classes round nothing. Rows of `expected`: [x, y, w, h, score, class_index].


def detection_cases() -> list[Case]:
    rng = np.random.default_rng(0)
    return [
        detection_case(rng, locations=40, classes=3, image=(120, 90), max_candidates=50, max_detections=12),
        detection_case(rng, locations=60, classes=1, image=(31, 64), max_candidates=1000, max_detections=100),
        detection_case(rng, locations=5, classes=2, image=(64, 48), max_candidates=1, max_detections=100, scores=0),
    ]


def detection_case(
    rng: Generator,
    locations: int,
    classes: int,
    image: tuple[int, int],
    max_candidates: int,
    max_detections: int,
    scores: int = 256,
) -> Case:
    corners = rng.integers(0, 4, (locations, 2)) * 10 + rng.integers(-16, 17, (locations, 2)) / 4
    boxes = np.concatenate([corners, corners + rng.integers(8, 120, (locations, 2)) / 4], axis=1)
    case: Case = {
        "input": {"width_px": 64, "height_px": 48},
        "image": {"width_px": image[0], "height_px": image[1]},
        "predict": {
            "score_threshold": 0.25,
            "nms_iou": 0.5,
            "max_candidates": max_candidates,
            "max_detections": max_detections,
        },
        "class_count": classes,
        "boxes": boxes.ravel().tolist(),
        "scores": (rng.integers(0, scores + 1, (locations, classes)) / 256).ravel().tolist(),
    }
    case["expected"] = detection_reference(case)
    return case


def detection_reference(case: Case) -> list[list[float]]:
    import torch
    from torchvision.ops import batched_nms

    predict, classes = case["predict"], case["class_count"]
    scores = torch.tensor(case["scores"])
    candidates = torch.sort(scores, descending=True, stable=True).indices[: predict["max_candidates"]]
    candidates = candidates[scores[candidates] >= predict["score_threshold"]]
    boxes = torch.tensor(case["boxes"]).reshape(-1, 4)[candidates // classes]
    kept = batched_nms(boxes, scores[candidates], candidates % classes, predict["nms_iou"])[: predict["max_detections"]]
    width, height = case["image"]["width_px"], case["image"]["height_px"]
    scale = min(case["input"]["width_px"] / width, case["input"]["height_px"] / height)
    resized = [max(1, math.floor(side * scale + 0.5)) for side in (width, height)]
    low = np.clip(boxes[kept, :2].numpy() * np.array([width, height]) / resized, 0, [width, height])
    high = np.clip(boxes[kept, 2:].numpy() * np.array([width, height]) / resized, 0, [width, height])
    columns = [low, high - low, scores[candidates[kept], None].numpy(), (candidates[kept, None] % classes).numpy()]
    rows = np.concatenate(columns, axis=1)
    return [[float(value) for value in row] for row in rows if row[2] > 0 and row[3] > 0]


def detections_model() -> bytes:
    """A detector of red and blue cells: the scores of a 16x16 px cell are its mean red and blue, its box is the cell."""
    from onnx import TensorProto, helper, numpy_helper

    width, height, cell = 64, 48, 16
    left, top = np.meshgrid(np.arange(0, width, cell), np.arange(0, height, cell))
    cells = np.stack([left, top, left + cell, top + cell], axis=-1).reshape(1, -1, 4).astype(np.float32)
    constants = {
        "cells": cells,
        "colors": np.array([0, 2], np.int64),
        "white": np.array(255, np.float32),
        "flat": np.array([0, 2, -1], np.int64),
        "first": np.array([0], np.int64),
        "rest": np.array(cells.shape[1:], np.int64),
    }
    nodes = [
        helper.make_node("Cast", ["images"], ["float"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["float"], ["nchw"], perm=[0, 3, 1, 2]),
        helper.make_node("Gather", ["nchw", "colors"], ["red_blue"], axis=1),
        helper.make_node("AveragePool", ["red_blue"], ["means"], kernel_shape=[cell, cell], strides=[cell, cell]),
        helper.make_node("Reshape", ["means", "flat"], ["by_class"]),
        helper.make_node("Transpose", ["by_class"], ["levels"], perm=[0, 2, 1]),
        helper.make_node("Div", ["levels", "white"], ["scores"]),
        helper.make_node("Shape", ["images"], ["shape"]),
        helper.make_node("Gather", ["shape", "first"], ["batch"]),
        helper.make_node("Concat", ["batch", "rest"], ["boxes_shape"], axis=0),
        helper.make_node("Expand", ["cells", "boxes_shape"], ["boxes"]),
    ]
    graph = helper.make_graph(
        nodes,
        "cells",
        [helper.make_tensor_value_info("images", TensorProto.UINT8, ["N", height, width, 3])],
        [
            helper.make_tensor_value_info("boxes", TensorProto.FLOAT, ["N", cells.shape[1], 4]),
            helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["N", cells.shape[1], 2]),
        ],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    fit = {"resize": "pil-bilinear", "fit": "letterbox-top-left", "pad_value": 127}
    metadata = {
        "version": 1,
        "family": "light",
        "input": {"width_px": width, "height_px": height, **fit},
        "categories": [{"id": 7, "name": "red"}, {"id": 3, "name": "blue"}],
        "predict": {"score_threshold": 0.5, "nms_iou": 0.5, "max_candidates": 100, "max_detections": 10},
    }
    helper.set_model_props(model, {"cassl": json.dumps(metadata)})
    return bytes(model.SerializeToString(deterministic=True))


if __name__ == "__main__":
    main()
