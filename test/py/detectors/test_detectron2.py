"""The backend detectron2: what a worker without it says, and that its detectors compute what detectron2 computes."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from detector_cases import CONFIGURED, SIDE_PX, missing_backend, small

from cassl.v1.task_pb2 import PredictConfig

from cassl_worker.detectors import build_detector, families
from cassl_worker.predict import detect

OF_DETECTRON2 = [family for family in families() if family.startswith("detectron2") and family not in CONFIGURED]
WORKER = str(Path(__file__).parents[3] / "worker-py")
pytestmark = pytest.mark.usefixtures("one_thread")
needs_detectron2 = pytest.mark.skipif(
    missing_backend("detectron2") is not None, reason=missing_backend("detectron2") or ""
)


def run_python(code: str, path: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=True
    )
    return done.stdout


class TestMissing:
    """A package that cannot be imported stands before any real one."""

    @pytest.fixture
    def path(self, tmp_path: Path) -> str:
        package = tmp_path / "detectron2"
        package.mkdir()
        (package / "__init__.py").write_text("raise ImportError('built for another torch')")
        return f"{tmp_path}:{WORKER}"

    def test_probe_says_why_it_cannot_be_imported(self, path: str) -> None:
        code = "import runpy; runpy.run_module('cassl_worker.detectron2_probe', run_name='__main__')"
        found = json.loads(run_python(code, path))
        assert "built for another torch" in found["found"]["fault"] and "pip install" in found["install"]

    @pytest.mark.parametrize(("limit", "fault"), [("0.01", "more than 0.01 s"), ("soon", "`soon`"), ("0", "`0`")])
    def test_probe_says_when_it_stopped_waiting_and_what_gives_it_more_time(
        self, path: str, limit: str, fault: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("CASSL_DETECTRON2_PROBE_SECONDS", limit)
        code = "from cassl_worker.detectron2_probe import probe; print(probe().fault)"
        said = run_python(code, path)
        assert fault in said and "CASSL_DETECTRON2_PROBE_SECONDS" in said

    def test_worker_announces_only_families_that_it_can_build(self, path: str) -> None:
        code = """
from cassl_worker.capabilities import faults
from cassl_worker.registration import Registration
print(*faults())
print(*Registration("name").holding([]).families)
"""
        why, announced = run_python(code, path).splitlines()
        assert "built for another torch" in why
        assert "light" in announced.split() and "detectron2" not in announced

    def test_building_one_is_an_error_with_the_command_to_install_it(self, path: str) -> None:
        code = """
from cassl.v1.task_pb2 import DetectorConfig
from cassl_worker.detectors import build_detector
from cassl_worker.errors import CasslError
try:
    build_detector(DetectorConfig(family="detectron2_fcos"), 1)
except CasslError as error:
    print(error.reason, error.remedy)
"""
        reason, remedy = run_python(code, path).split(" ", 1)
        assert reason == "WORKER_INCOMPLETE" and "git+https://github.com/facebookresearch/detectron2" in remedy


@needs_detectron2
class TestEquality:
    @pytest.mark.parametrize("family", OF_DETECTRON2)
    def test_detections_are_those_of_detectron2_itself(self, family: str) -> None:
        torch.manual_seed(0)
        config = small(family)
        config.proposals = 50
        detector = build_detector(config, 3)
        strengthen(detector)
        images = torch.randint(0, 256, (2, SIDE_PX, SIDE_PX, 3), dtype=torch.uint8)
        predict = PredictConfig(score_threshold=0.05, nms_iou=0.5, max_candidates=10_000, max_detections=100)
        ours = detect(detector, images, [(SIDE_PX, SIDE_PX)] * 2, predict)
        theirs = inferred(detector, images)
        for found, expected in zip(ours, theirs, strict=True):
            assert len(found.scores) == len(expected.scores) > 0
            given = rows(expected.pred_boxes.tensor.clamp(0, SIDE_PX), expected.scores, expected.pred_classes)
            got = rows(torch.from_numpy(found.boxes), torch.from_numpy(found.scores), torch.from_numpy(found.classes))
            # Where scores are the same, the order may be another.
            distances = torch.cdist(got, given, p=torch.inf, compute_mode="donot_use_mm_for_euclid_dist")
            assert distances.min(dim=0).values.max() < 1e-2 and distances.min(dim=1).values.max() < 1e-2


def rows(boxes: torch.Tensor, scores: torch.Tensor, classes: torch.Tensor) -> torch.Tensor:
    """(B, 6), of columns that differ by the more, the less alike two detections are."""
    return torch.cat([boxes, 1000 * scores[:, None], 1000.0 * classes[:, None]], dim=1)


@torch.no_grad()
def strengthen(detector: Any) -> None:
    """An untrained predictor gives every class about the same score, and so an order that means nothing."""
    for name, weight in detector.named_parameters():
        if "cls_score" in name or "objectness" in name:
            torch.nn.init.normal_(weight, std=0.3) if weight.ndim > 1 else weight.zero_()


@torch.inference_mode()
def inferred(detector: Any, images: torch.Tensor) -> list[Any]:
    """By detectron2's own inference: Instances of each image."""
    from detectron2.structures import ImageList

    model, features = detector.model, detector.pyramid(images)
    inputs = ImageList(images, [(SIDE_PX, SIDE_PX)] * len(images))
    if not hasattr(model, "roi_heads"):
        model.test_score_thresh, model.test_nms_thresh, model.test_topk_candidates = 0.05, 0.5, 10_000
        levels = [features[name] for name in model.head_in_features]
        return list(model.forward_inference(inputs, levels, model.head(levels)))
    predictors = model.roi_heads.box_predictor
    for predictor in predictors if isinstance(predictors, torch.nn.ModuleList) else [predictors]:
        predictor.test_score_thresh, predictor.test_nms_thresh = 0.05, 0.5
    proposals, _ = model.proposal_generator(inputs, features)
    found, _ = model.roi_heads(inputs, features, proposals)
    return list(found)
