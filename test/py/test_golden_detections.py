"""The worker makes the same detections from a dense output as the TypeScript side does from an exported model's."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from cassl.v1.task_pb2 import PredictConfig

from cassl_worker.detections import select, to_detections

CASES: list[dict[str, Any]] = json.loads((Path(__file__).parents[1] / "golden" / "detections.json").read_text())


@pytest.mark.parametrize("case", CASES)
def test_the_golden_detections_come_out(case: dict[str, Any]) -> None:
    boxes = torch.tensor(case["boxes"]).reshape(-1, 4)
    scores = torch.tensor(case["scores"]).reshape(-1, case["class_count"])
    sizes = [(case[key]["width_px"], case[key]["height_px"]) for key in ("image", "input")]
    _, found = to_detections(select(boxes, scores, PredictConfig(**case["predict"])), *sizes)
    expected = np.array(case["expected"]).reshape(-1, 6)
    corners = np.concatenate([expected[:, :2], expected[:, :2] + expected[:, 2:4]], axis=1)
    np.testing.assert_allclose(found.boxes, corners, rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(found.scores, expected[:, 4])
    np.testing.assert_array_equal(found.classes, expected[:, 5])
