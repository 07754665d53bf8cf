"""Detectors as ONNX files that carry all that is needed to run them."""

import json
from collections.abc import Sequence
from pathlib import Path

import onnx
import torch
from torch import Tensor, nn

from cassl.v1.task_pb2 import ExportTask

from cassl_worker.checkpoint import load_detector, replacing
from cassl_worker.data import Category
from cassl_worker.detectors.backbone import described
from cassl_worker.detectors.interface import Detector
from cassl_worker.images import PAD_VALUE
from cassl_worker.proof import probe_images, proof
from cassl_worker.version import VERSION

METADATA_KEY, PROOF_KEY = "cassl", "cassl_proof"


class Dense(nn.Module):
    """The dense part of a detector as a module of its own."""

    def __init__(self, detector: Detector) -> None:
        super().__init__()
        self.detector = detector

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        return self.detector.dense(images)


def export_onnx(task: ExportTask, categories: Sequence[Category], *, weights: Path, out: Path) -> None:
    """Writes the dense part, float32: images (N, H, W, 3) uint8 to what `Detector.dense` gives, any N."""
    detector = load_detector(task.detector, len(categories), weights)
    model = to_onnx(detector, task.detector.input_width_px, task.detector.input_height_px)
    size = (task.detector.input_width_px, task.detector.input_height_px)
    described_masks = {} if detector.MASK_FORM is None else {"masks": detector.MASK_FORM}
    carried = {
        METADATA_KEY: metadata(task, categories) | described_masks,
        PROOF_KEY: proof(detector.dense, size, task.predict, probe_images(), detector.MASK_FORM),
    }
    for key, value in carried.items():
        model.metadata_props.add(key=key, value=json.dumps(value))
    with replacing(out) as partial:
        onnx.save(model, partial)


def to_onnx(detector: Detector, width: int, height: int) -> onnx.ModelProto:
    # Two images, because an exporter takes a size of one for a constant.
    example = torch.zeros(2, height, width, 3, dtype=torch.uint8)
    program = torch.onnx.export(
        Dense(detector).eval(),
        (example,),
        dynamo=True,
        dynamic_shapes={"images": {0: torch.export.Dim("batch")}},
        input_names=["images"],
        output_names=detector.output_names,
        verbose=False,
    )
    assert program is not None
    return program.model_proto


def metadata(task: ExportTask, categories: Sequence[Category]) -> dict[str, object]:
    detector, predict = task.detector, task.predict
    return {
        "version": 1,
        "family": detector.family,
        "lineage": {
            "backbone": detector.backbone,
            "backbone_weights": detector.backbone_weights,
            "backbone_license": described(detector.backbone).license or "unknown",
            "software": f"cassl {VERSION}, torch {torch.__version__}, Apache-2.0",
        },
        "input": {
            "width_px": detector.input_width_px,
            "height_px": detector.input_height_px,
            "resize": "pil-bilinear",
            "fit": "letterbox-top-left",
            "pad_value": PAD_VALUE,
        },
        "categories": [{"id": category.id, "name": category.name} for category in categories],
        "predict": {
            "score_threshold": predict.score_threshold,
            "nms_iou": predict.nms_iou,
            "max_candidates": predict.max_candidates,
            "max_detections": predict.max_detections,
        },
    }
