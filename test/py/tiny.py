"""Data sets and tasks that take seconds."""

import json
from dataclasses import asdict
from pathlib import Path

from rectangles import CATEGORIES, rectangle_dataset

from cassl.v1.task_pb2 import (
    AugmentationConfig,
    DetectorConfig,
    ExportTask,
    InitFrom,
    LearningRateFactors,
    PredictConfig,
    PredictTask,
    SolverConfig,
    TrainTask,
)

SIDE_PX = 64
DETECTOR = DetectorConfig(
    family="light",
    backbone="tf_efficientnet_lite0",
    backbone_weights="none",
    input_width_px=SIDE_PX,
    input_height_px=SIDE_PX,
    fpn_channels=16,
    head_convolutions=1,
    strides_px=[8, 16, 32],
    proposals=20,
)
PREDICT = PredictConfig(
    score_threshold=0.0, nms_iou=0.6, max_candidates=20, max_detections=5, images_per_batch=2, shard_size=2
)


CARRIED = ["backbone", "fpn", "box_tower", "classification_tower", "mask_head"]


def lr_factors(backbone: float = 1.0) -> LearningRateFactors:
    return LearningRateFactors(
        backbone=backbone, fpn=1, box_tower=1, classification_tower=1, class_predictor=1, mask_head=1
    )


def solver(iterations: int, checkpoint_every: int = 1000) -> SolverConfig:
    return SolverConfig(
        iterations=iterations,
        images_per_batch=2,
        gradient_accumulation=1,
        learning_rate=1e-4,
        lr_ramp_iterations=1,
        weight_decay=1e-4,
        gradient_clip_norm=1.0,
        ema_decay=0.9,
        frozen_stages=2,
        lr_factors=lr_factors(backbone=0.1),
        precision="float32",
        checkpoint_every_iterations=checkpoint_every,
        augmentation=AugmentationConfig(flip_probability=0.5, min_zoom=0.8, max_zoom=1.2, color_jitter=0.1),
    )


def train_task(dataset: str, solver: SolverConfig, init_from: str | None = None) -> TrainTask:
    start = None if init_from is None else InitFrom(weights=init_from, carry=CARRIED)
    return TrainTask(detector=DETECTOR, solver=solver, dataset=dataset, init_from=start, seed=1)


def predict_task(dataset: str, weights: str) -> PredictTask:
    return PredictTask(
        detector=DETECTOR, weights=weights, class_count=len(CATEGORIES), dataset=dataset, predict=PREDICT
    )


def export_task(dataset: str, weights: str) -> ExportTask:
    return ExportTask(detector=DETECTOR, weights=weights, dataset=dataset, predict=PREDICT)


def write_dataset(folder: Path, image_count: int) -> bytes:
    """Images of one rectangle each, in the folder. Returns their manifest."""
    dataset = rectangle_dataset(folder, [1] * image_count)
    categories = [asdict(category) for category in dataset.categories]
    header = {"cassl": "dataset", "version": 1, "categories": categories, "image_count": image_count}
    lines = [header, *(asdict(image) for image in dataset.images)]
    return "".join(f"{json.dumps(line)}\n" for line in lines).encode()
