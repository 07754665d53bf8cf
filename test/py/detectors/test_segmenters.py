"""Families with masks, beyond what every family must do."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from detector_cases import cases, small
from ellipses import SIZE, ellipse_dataset
from tiny import CARRIED, lr_factors, solver
from training import train

from cassl.v1.task_pb2 import DetectorConfig, InitFrom, PredictConfig, PredictTask, SolverConfig, TrainTask

from cassl_worker.checkpoint import Weights, load_detector, save_weights, state_of
from cassl_worker.detections import Detections
from cassl_worker.detectors import FAMILIES, SEGMENTERS, backend_of, build_detector, without_masks
from cassl_worker.detectors.interface import Target
from cassl_worker.errors import CasslError
from cassl_worker.images import decode, letterbox
from cassl_worker.masks import decode as decode_mask
from cassl_worker.predict import detect, predict
from cassl_worker.records import Trained
from cassl_worker.transplant import Ledger, transplant

CPU = torch.device("cpu")
BUILDABLE = {case.name for case in cases() if case.missing is None}
PREDICT = PredictConfig(
    score_threshold=0.3, nms_iou=0.5, max_candidates=100, max_detections=5, images_per_batch=2, shard_size=3
)
pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module", params=sorted(BUILDABLE & set(SEGMENTERS)))
def family(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def quick_solver(iterations: int) -> SolverConfig:
    settings = solver(iterations)
    settings.MergeFrom(SolverConfig(images_per_batch=4, learning_rate=0.005, lr_ramp_iterations=5))
    settings.MergeFrom(SolverConfig(gradient_clip_norm=10, lr_factors=lr_factors(backbone=0.25)))
    settings.augmentation.Clear()
    settings.augmentation.min_zoom = settings.augmentation.max_zoom = 1
    return settings


def with_backbone(family: str) -> DetectorConfig:
    config = small(family)
    config.MergeFrom(DetectorConfig(backbone="tf_efficientnet_lite0", backbone_weights="imagenet"))
    return config


def test_those_that_are_named_are_those_that_give_masks() -> None:
    torch.manual_seed(0)
    with_masks = {name for name in BUILDABLE if build_detector(small(name), 1).MASK_FORM is not None}
    assert with_masks == set(SEGMENTERS) & BUILDABLE and set(SEGMENTERS.values()) <= set(FAMILIES)


def test_masks_of_four_images_are_learned_by_heart(family: str, tmp_path: Path) -> None:
    dataset = ellipse_dataset(tmp_path, (1, 3, 2, 0))
    task = TrainTask(detector=with_backbone(family), solver=quick_solver(100), seed=0)
    *_, end = train(task, dataset, device=CPU, scratch=tmp_path, init_from=None, resume_from=None)
    assert isinstance(end, Trained)
    detector = load_detector(task.detector, 2, end.weights)
    for record in dataset.images:
        inputs = torch.from_numpy(letterbox(decode(record, dataset.root), SIZE))
        (found,) = detect(detector, inputs[None], [SIZE], PREDICT, masks=True)
        assert record.annotations or found.masks == ()
        for annotation in record.annotations:
            assert annotation.mask is not None
            assert best_mask_iou(found, annotation.class_index, annotation.mask) > 0.85


def best_mask_iou(found: Detections, class_index: int, counts: str) -> float:
    """A box that is filled has an IoU of 0.785 with its ellipse."""
    assert found.masks is not None
    expected = decode_mask(counts.encode(), SIZE)
    masks = [
        decode_mask(mask, SIZE) for mask, label in zip(found.masks, found.classes, strict=True) if label == class_index
    ]
    return max(((mask & expected).sum() / (mask | expected).sum() for mask in masks), default=0.0)


def test_objects_that_show_no_pixel_are_learned_as_boxes(family: str) -> None:
    if backend_of(family) == "detectron2":
        pytest.skip("detectron2 learns from such an object that its region shows nothing")
    torch.manual_seed(0)
    detector = build_detector(small(family), 2)
    boxes, labels = torch.tensor([[8.0, 8, 40, 48], [50, 50, 51, 51]]), torch.tensor([0, 1])
    images = torch.randint(0, 256, (1, 96, 96, 3), dtype=torch.uint8, generator=torch.manual_seed(1))
    nothing = torch.zeros(2, 96, 96, dtype=torch.bool)
    losses = detector.losses(images, [Target(boxes, labels, nothing)])
    assert losses["mask"] == 0 and losses["bbox_regression"] > 0
    first_only = nothing.clone()
    first_only[0, 8:48, 8:40] = True
    assert detector.losses(images, [Target(boxes, labels, first_only)])["mask"] > 0


def test_training_without_a_mask_is_refused_before_it_starts(family: str, tmp_path: Path) -> None:
    dataset = ellipse_dataset(tmp_path, (1, 2))
    first, second = dataset.images
    bare = replace(second, annotations=tuple(replace(item, mask=None) for item in second.annotations))
    task = TrainTask(detector=small(family), solver=solver(2), seed=1)
    with pytest.raises(CasslError, match=r"Object 1 of 2 in 1\.png has no mask") as caught:
        next(
            train(
                task,
                replace(dataset, images=(first, bare)),
                device=CPU,
                scratch=tmp_path,
                init_from=None,
                resume_from=None,
            )
        )
    assert caught.value.reason == "ANNOTATIONS_INVALID" and family not in caught.value.remedy


def test_shards_have_masks_where_the_task_asks_for_them(family: str, tmp_path: Path) -> None:
    dataset = ellipse_dataset(tmp_path, (1, 2, 0, 1))
    weights = tmp_path / "weights.safetensors"
    torch.manual_seed(0)
    save_weights(weights, Weights(family, 2, state_of(build_detector(small(family), 2))))
    anything = PredictConfig(
        score_threshold=0, nms_iou=1, max_candidates=9, max_detections=9, images_per_batch=2, shard_size=3
    )
    task = PredictTask(detector=small(family), class_count=2, predict=anything, masks=True)
    for masks in (True, False):
        task.masks = masks
        shards = list(predict(task, dataset, weights=weights, device=CPU, shards=[0, 1]))
        assert [(shard.image_count, shard.mask_bytes is not None) for shard in shards] == [(3, masks), (1, masks)]
        assert sum(shard.box_count for shard in shards) > 0


def test_masks_are_refused_to_a_family_without(tmp_path: Path) -> None:
    dataset = ellipse_dataset(tmp_path, (1,))
    weights = tmp_path / "weights.safetensors"
    save_weights(weights, Weights("light", 2, state_of(build_detector(small("light"), 2))))
    task = PredictTask(detector=small("light"), class_count=2, predict=PREDICT, masks=True)
    with pytest.raises(CasslError, match="`light` does not give") as caught:
        next(predict(task, dataset, weights=weights, device=CPU, shards=[0]))
    assert caught.value.reason == "CONFIG_INVALID"


class TestHandOver:
    """Between a family with masks and the one that it is without its mask head."""

    def transplanted(self, source: str, target: str) -> tuple[Ledger, set[str]]:
        """Also the tensors that only the family with masks has."""
        torch.manual_seed(0)
        given, detector = build_detector(small(source), 1), build_detector(small(target), 3)
        ledger = transplant(detector, 3, Weights(source, 1, state_of(given)), target, InitFrom(carry=CARRIED))
        return ledger, state_of(given).keys() ^ state_of(detector).keys()

    def actions(self, ledger: Ledger, action: str) -> set[str]:
        return {entry.name for entry in ledger.tensors if entry.action == action}

    def test_to_masks_carries_all_but_the_mask_head_and_the_class_predictor(self, family: str) -> None:
        ledger, of_masks = self.transplanted(without_masks(family), family)
        afresh = self.actions(ledger, "reinitialized")
        predictors = build_detector(small(family), 3).names_in("class_predictor")
        assert afresh == of_masks | predictors and self.actions(ledger, "dropped") == predictors
        assert ledger.copied_share_by_part["mask_head"] == 0 and ledger.copied_share_by_part["box_tower"] == 1

    def test_from_masks_drops_the_mask_head_and_says_so(self, family: str) -> None:
        ledger, of_masks = self.transplanted(family, without_masks(family))
        reasons = {entry.reason for entry in ledger.tensors if entry.name in of_masks}
        assert self.actions(ledger, "dropped") >= of_masks
        assert reasons == {f"the family {without_masks(family)} gives no masks"}
        assert ledger.copied_share_by_part["box_tower"] == 1

    def test_to_other_heads_carries_backbone_and_pyramid_only(self) -> None:
        ledger, _ = self.transplanted("light_segmenter", "mask_rcnn")
        shares = {part: share for part, share in ledger.copied_share_by_part.items() if share > 0}
        assert set(shares) == {"backbone", "fpn"}


def test_masks_do_not_change_with_the_number_of_classes(family: str) -> None:
    detectors = []
    for class_count in (1, 80):
        torch.manual_seed(0)
        detectors.append(build_detector(small(family), class_count))
    one, many = (state_of(detector) for detector in detectors)
    names = detectors[0].names_in("mask_head")
    assert names and all(one[name].shape == many[name].shape for name in names)
