"""The worker makes the same masks from a dense output as numpy does pixel by pixel, and as the TypeScript side."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cassl_worker.mask_decoding import MaskGrids, PrototypeGrids, RegionGrids, decode_masks

CASES: list[dict[str, Any]] = json.loads((Path(__file__).parents[1] / "golden" / "instance-masks.json").read_text())


@pytest.mark.parametrize("case", CASES)
def test_the_golden_masks_come_out(case: dict[str, Any]) -> None:
    image_size, input_size = ((case[key]["width_px"], case[key]["height_px"]) for key in ("image", "input"))
    detections = case["detections"]
    candidates, classes = ([item[key] for item in detections] for key in ("candidate", "class_index"))
    boxes = floats([item["box_xyxy"] for item in detections], 4)
    masks = decode_masks(grids_of(case, input_size), candidates, classes, boxes, image_size)
    expected = [None if item["counts"] is None else item["counts"].encode() for item in detections]
    assert masks == expected and any(mask is not None for mask in masks)


def grids_of(case: dict[str, Any], input_size: tuple[int, int]) -> MaskGrids:
    boxes = floats(case["boxes"], 4)
    if case["masks"] == "regions":
        grids = floats(case["region_masks"], case["mask_classes"], case["side"], case["side"])
        return RegionGrids(grids, boxes, input_size)
    columns, rows = case["grid"]
    prototypes = floats(case["prototypes"], rows, columns)
    return PrototypeGrids(floats(case["mask_embeddings"], len(prototypes)), prototypes, input_size)


def floats(values: Any, *shape: int) -> np.ndarray:
    return np.array(values, dtype=np.float32).reshape(-1, *shape)
