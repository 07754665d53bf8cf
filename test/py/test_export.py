"""Export: the ONNX file computes what the detector computes and says how to use it."""

import base64
import io
import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from rectangles import CATEGORIES
from tiny import DETECTOR

from cassl.v1.task_pb2 import ExportTask, PredictConfig

from cassl_worker.checkpoint import Weights, load_detector, save_weights, state_of
from cassl_worker.detectors import build_detector
from cassl_worker.export import export_onnx
from cassl_worker.images import letterbox

PREDICT = PredictConfig(score_threshold=0.05, nms_iou=0.6, max_candidates=1000, max_detections=100)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Holds weights.safetensors and the model.onnx that was exported from it."""
    folder = tmp_path_factory.mktemp("export")
    torch.manual_seed(0)
    save_weights(folder / "weights.safetensors", Weights("light", 2, state_of(build_detector(DETECTOR, 2))))
    task = ExportTask(detector=DETECTOR, predict=PREDICT)
    export_onnx(task, CATEGORIES, weights=folder / "weights.safetensors", out=folder / "model.onnx")
    return folder


@pytest.mark.parametrize("batch_size", [1, 2, 5])
def test_onnx_runtime_gives_what_torch_gives(folder: Path, batch_size: int) -> None:
    images = torch.randint(0, 256, (batch_size, 64, 64, 3), dtype=torch.uint8, generator=torch.manual_seed(batch_size))
    session = onnxruntime.InferenceSession(folder / "model.onnx", providers=["CPUExecutionProvider"])
    boxes, scores = session.run(["boxes", "scores"], {"images": images.numpy()})
    with torch.inference_mode():
        expected_boxes, expected_scores = load_detector(DETECTOR, 2, folder / "weights.safetensors").dense(images)
    assert boxes.dtype == scores.dtype == np.float32
    np.testing.assert_allclose(boxes, expected_boxes, atol=1e-4, rtol=1e-4)
    np.testing.assert_allclose(scores, expected_scores, atol=1e-4)


def test_inputs_and_outputs_have_the_agreed_names_types_and_shapes(folder: Path) -> None:
    graph = onnx.load(folder / "model.onnx").graph
    described = {
        value.name: (
            value.type.tensor_type.elem_type,
            [size.dim_param or size.dim_value for size in value.type.tensor_type.shape.dim],
        )
        for value in [*graph.input, *graph.output]
    }
    assert described == {
        "images": (onnx.TensorProto.UINT8, ["batch", 64, 64, 3]),
        "boxes": (onnx.TensorProto.FLOAT, ["batch", 84, 4]),
        "scores": (onnx.TensorProto.FLOAT, ["batch", 84, 2]),
    }


def test_file_is_whole_and_carries_its_metadata(folder: Path) -> None:
    model = onnx.load(folder / "model.onnx")
    onnx.checker.check_model(model, full_check=True)
    assert sorted(path.name for path in folder.iterdir()) == ["model.onnx", "weights.safetensors"]
    (text,) = [item.value for item in model.metadata_props if item.key == "cassl"]
    read = json.loads(text)
    lineage = read.pop("lineage")
    assert lineage["backbone"] == "tf_efficientnet_lite0" and lineage["backbone_license"] == "apache-2.0"
    assert lineage["backbone_weights"] == "none" and "torch" in lineage["software"]
    assert read == {
        "version": 1,
        "family": "light",
        "input": {
            "width_px": 64,
            "height_px": 64,
            "resize": "pil-bilinear",
            "fit": "letterbox-top-left",
            "pad_value": 127,
        },
        "categories": [{"id": 3, "name": "red"}, {"id": 7, "name": "blue"}],
        "predict": {"score_threshold": 0.05, "nms_iou": 0.6, "max_candidates": 1000, "max_detections": 100},
    }


def test_file_carries_what_torch_gives_for_its_probes(folder: Path) -> None:
    model = onnx.load(folder / "model.onnx")
    (text,) = [item.value for item in model.metadata_props if item.key == "cassl_proof"]
    session = onnxruntime.InferenceSession(folder / "model.onnx", providers=["CPUExecutionProvider"])
    probes = json.loads(text)["probes"]
    sizes = {}
    for probe in probes:
        image = Image.open(io.BytesIO(base64.b64decode(probe["png"])))
        sizes[probe["name"]] = image.size
        _, (scores,) = session.run(["boxes", "scores"], {"images": letterbox(image, (64, 64))[None]})
        best = np.argsort(-scores.max(axis=1))[:50]
        np.testing.assert_allclose(floats(probe["scores"]).reshape(-1, 2).max(), scores[best].max(), atol=1e-4)
        assert len(floats(probe["boxes"])) == 4 * len(best)
        assert len(floats(probe["detections"])) % 6 == 0
    assert min(width for width, _ in sizes.values()) == 1
    assert max(width / height for width, height in sizes.values()) >= 40


def floats(text: str) -> NDArray[np.float32]:
    return np.frombuffer(base64.b64decode(text), "<f4")
