"""A model with the choice of detections inside chooses as cassl does elsewhere."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from numpy.typing import NDArray
from onnx import helper, numpy_helper
from rectangles import CATEGORIES
from tiny import DETECTOR

from cassl.v1.task_pb2 import ExportTask, PredictConfig

from cassl_worker.checkpoint import Weights, save_weights, state_of
from cassl_worker.deployment import with_choice
from cassl_worker.detections import select
from cassl_worker.detectors import build_detector
from cassl_worker.errors import CasslError
from cassl_worker.export import export_onnx
from cassl_worker.images import letterbox_size

CASES: list[dict[str, Any]] = json.loads((Path(__file__).parents[1] / "golden" / "detections.json").read_text())
PREDICT = PredictConfig(score_threshold=0.05, nms_iou=0.6, max_candidates=60, max_detections=7)
Outputs = list[NDArray[Any]]


def constant_model(
    boxes: NDArray[np.float32], scores: NDArray[np.float32], described: dict[str, Any]
) -> onnx.ModelProto:
    """What gives the same dense output for every image."""
    (locations, _), classes = boxes.shape, scores.shape[1]
    nodes = [
        helper.make_node("Shape", ["images"], ["count"], start=0, end=1),
        helper.make_node("Constant", [], ["sides"], value_ints=[1, 1]),
        helper.make_node("Concat", ["count", "sides"], ["repeats"], axis=0),
        helper.make_node("Tile", ["b", "repeats"], ["boxes"]),
        helper.make_node("Tile", ["s", "repeats"], ["scores"]),
    ]
    graph = helper.make_graph(
        nodes,
        "dense",
        [helper.make_tensor_value_info("images", onnx.TensorProto.UINT8, ["batch", 8, 8, 3])],
        [
            helper.make_tensor_value_info("boxes", onnx.TensorProto.FLOAT, ["batch", locations, 4]),
            helper.make_tensor_value_info("scores", onnx.TensorProto.FLOAT, ["batch", locations, classes]),
        ],
        [numpy_helper.from_array(boxes[None], "b"), numpy_helper.from_array(scores[None], "s")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    model.metadata_props.add(key="cassl", value=json.dumps(described))
    return model


def run(model: onnx.ModelProto, images: NDArray[np.uint8]) -> Outputs:
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    assert [output.name for output in session.get_outputs()] == ["num_dets", "det_boxes", "det_scores", "det_classes"]
    outputs: Outputs = session.run(None, {"images": images})
    return outputs


@pytest.mark.parametrize("case", CASES)
def test_golden_detections_which_typescript_meets_too_come_out(case: dict[str, Any]) -> None:
    boxes = np.array(case["boxes"], np.float32).reshape(-1, 4)
    scores = np.array(case["scores"], np.float32).reshape(-1, case["class_count"])
    described = {"predict": case["predict"], "categories": [{}] * case["class_count"]}
    outputs = run(with_choice(constant_model(boxes, scores, described)), np.zeros((2, 8, 8, 3), np.uint8))
    image, size = ((case[key]["width_px"], case[key]["height_px"]) for key in ("image", "input"))
    scale = np.tile(np.array(image) / letterbox_size(image, size), 2)
    expected = np.array(case["expected"]).reshape(-1, 6)
    for (count,), found, found_scores, classes in zip(*outputs, strict=True):
        inside = np.clip(found[:count].astype(np.float64) * scale, 0, np.tile(image, 2))
        solid = (inside[:, 2:] > inside[:, :2]).all(axis=1)
        corners = np.concatenate([expected[:, :2], expected[:, :2] + expected[:, 2:4]], axis=1)
        np.testing.assert_allclose(inside[solid], corners, rtol=1e-5, atol=1e-5)
        np.testing.assert_array_equal(found_scores[:count][solid], expected[:, 4].astype(np.float32))
        np.testing.assert_array_equal(classes[:count][solid], expected[:, 5])
        assert not found[count:].any() and not found_scores[count:].any()


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("deployment")
    torch.manual_seed(0)
    save_weights(folder / "weights.safetensors", Weights("light", 2, state_of(build_detector(DETECTOR, 2))))
    task = ExportTask(detector=DETECTOR, predict=PREDICT)
    export_onnx(task, CATEGORIES, weights=folder / "weights.safetensors", out=folder / "model.onnx")
    return folder / "model.onnx"


def test_command_adds_it_to_an_exported_detector(exported: Path) -> None:
    out = exported.with_name("deployed.onnx")
    command = [sys.executable, "-m", "cassl_worker.deployment"]
    subprocess.run([*command, exported, out], check=True, capture_output=True)
    images = torch.randint(0, 256, (3, 64, 64, 3), dtype=torch.uint8, generator=torch.manual_seed(1)).numpy()
    dense = onnxruntime.InferenceSession(exported, providers=["CPUExecutionProvider"])
    counts, boxes, scores, classes = run(onnx.load(out), images)
    for at, (every_box, every_score) in enumerate(
        zip(*dense.run(["boxes", "scores"], {"images": images}), strict=True)
    ):
        expected = select(torch.from_numpy(every_box), torch.from_numpy(every_score), PREDICT)
        count = int(counts[at, 0])
        np.testing.assert_allclose(scores[at, :count], expected.scores, atol=1e-6)
        np.testing.assert_allclose(boxes[at, :count], expected.boxes, atol=1e-3)
        np.testing.assert_array_equal(classes[at, :count], expected.classes)
    (text,) = [item.value for item in onnx.load(out).metadata_props if item.key == "cassl_deployment"]
    assert [category["name"] for category in json.loads(text)["categories"]] == ["red", "blue"]
    failed = subprocess.run([*command, out, out], capture_output=True, text=True)
    assert failed.returncode == 1 and "no metadata property `cassl`" in failed.stderr


@pytest.mark.parametrize(("threshold", "count"), [(0, 4), (1e-5, 3), (0.5, 2), (0.75, 1), (1, 0)])
def test_scores_at_the_threshold_count(threshold: float, count: int) -> None:
    boxes = np.array([[x, 0, x + 5, 5] for x in (0, 10, 20, 30)], np.float32)
    scores = np.array([[0.75], [0.5], [1e-5], [0]], np.float32)
    predict = {"score_threshold": threshold, "nms_iou": 0.5, "max_candidates": 9, "max_detections": 9}
    model = with_choice(constant_model(boxes, scores, {"predict": predict, "categories": [{}]}))
    counts, *_ = run(model, np.zeros((1, 8, 8, 3), np.uint8))
    assert counts.tolist() == [[count]]


def test_models_with_masks_and_files_of_others_are_refused() -> None:
    arrays = np.zeros((4, 4), np.float32), np.zeros((4, 1), np.float32)
    with pytest.raises(CasslError, match="masks") as caught:
        with_choice(constant_model(*arrays, {"predict": {}, "categories": [{}], "masks": "regions"}))
    assert caught.value.reason == "MODEL_INVALID"
