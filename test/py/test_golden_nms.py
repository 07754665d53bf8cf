"""The NMS vectors that the TypeScript side is tested with are what torchvision answers."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torchvision.ops import batched_nms, nms

CASES: list[dict[str, Any]] = json.loads((Path(__file__).parents[1] / "golden" / "nms.json").read_text())


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_torchvision_keeps_the_golden_boxes(case: dict[str, Any]) -> None:
    boxes = torch.tensor(case["boxes_xyxy"], dtype=torch.float64).reshape(-1, 4)
    scores = torch.tensor(case["scores"], dtype=torch.float64)
    if case["groups"] is None:
        kept = nms(boxes, scores, case["iou_threshold"])
    else:
        groups = torch.tensor(case["groups"], dtype=torch.int64)
        kept = batched_nms(boxes, scores, groups, case["iou_threshold"])
    assert kept.tolist() == case["kept"]
