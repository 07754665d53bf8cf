"""Dense model output to detections, by torchvision, and a model whose detections are known.

Boxes are on a quarter-pixel grid and scores in 1/256, so that every product is exact and the reference's offsets
between classes round nothing. Rows of `expected`: [x, y, w, h, score, class_index].
"""

import json
import math
from typing import Any

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, helper, numpy_helper
from PIL import Image
from torch import Tensor
from torchvision.ops import batched_nms

from cassl.v1.task_pb2 import PredictConfig

from cassl_worker.proof import proof

Case = dict[str, Any]


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
    model, metadata = cells_model()
    size = (metadata["input"]["width_px"], metadata["input"]["height_px"])
    by_torch = proof(cell_levels, size, PredictConfig(**metadata["predict"]), colored_cells())
    helper.set_model_props(model, {"cassl": json.dumps(metadata), "cassl_proof": json.dumps(by_torch)})
    return bytes(model.SerializeToString(deterministic=True))


def cells_model() -> tuple[ModelProto, dict[str, Any]]:
    """A detector of red and blue cells of 16x16 px: a cell's scores are its mean red and blue, its box the cell.

    Returns its metadata too, which are not yet in it.
    """
    width, height, cell = 64, 48, 16
    left, top = np.meshgrid(np.arange(0, width, cell), np.arange(0, height, cell))
    cells = np.stack([left, top, left + cell, top + cell], axis=-1).reshape(1, -1, 4).astype(np.float32)
    constants: dict[str, NDArray[Any]] = {
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
    metadata: dict[str, Any] = {
        "version": 1,
        "family": "light",
        "input": {"width_px": width, "height_px": height, **fit},
        "categories": [{"id": 7, "name": "red"}, {"id": 3, "name": "blue"}],
        "predict": {"score_threshold": 0.5, "nms_iou": 0.5, "max_candidates": 100, "max_detections": 10},
    }
    return model, metadata


def cell_levels(images: Tensor) -> tuple[Tensor, Tensor]:
    """What the model gives, by torch."""
    red_blue = images[..., [0, 2]].permute(0, 3, 1, 2).float()
    scores = torch.nn.functional.avg_pool2d(red_blue, 16).flatten(2).permute(0, 2, 1) / 255
    y, x = torch.meshgrid(torch.arange(0, 48, 16), torch.arange(0, 64, 16), indexing="ij")
    corners = torch.stack([x, y, x + 16, y + 16], dim=-1).reshape(1, -1, 4).float()
    return corners.expand(len(images), -1, 4), scores


def colored_cells() -> dict[str, Image.Image]:
    pixels = np.zeros((48, 64, 3), dtype=np.uint8)
    pixels[16:32, 16:32, 0] = 255
    pixels[32:, 48:, 2] = 200
    return {"cells": Image.fromarray(pixels), "nothing": Image.new("RGB", (10, 80))}
