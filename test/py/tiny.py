"""Data sets and tasks that take seconds."""

import hashlib
import json
from pathlib import Path

import numpy as np
from PIL import Image

from cassl.v1.task_pb2 import (
    AugmentationConfig,
    DetectorConfig,
    ExportTask,
    InitFrom,
    PredictConfig,
    PredictTask,
    SolverConfig,
    TrainTask,
)

SIDE_PX = 64
DETECTOR = DetectorConfig(
    family="light",
    backbone_weights="none",
    input_width_px=SIDE_PX,
    input_height_px=SIDE_PX,
    fpn_channels=16,
    head_convolutions=1,
    strides_px=[8, 16, 32],
)
PREDICT = PredictConfig(
    score_threshold=0.0, nms_iou=0.6, max_candidates=20, max_detections=5, images_per_batch=2, shard_size=2
)
CATEGORIES = [{"id": 3, "name": "red"}, {"id": 7, "name": "blue"}]


def solver(iterations: int, checkpoint_every: int = 1000) -> SolverConfig:
    return SolverConfig(
        iterations=iterations,
        images_per_batch=2,
        learning_rate=1e-4,
        lr_ramp_iterations=1,
        weight_decay=1e-4,
        gradient_clip_norm=1.0,
        ema_decay=0.9,
        frozen_stages=2,
        backbone_lr_factor=0.1,
        precision="float32",
        checkpoint_every_iterations=checkpoint_every,
        augmentation=AugmentationConfig(flip_probability=0.5, min_zoom=0.8, max_zoom=1.2, color_jitter=0.1),
    )


def train_task(dataset: str, solver: SolverConfig, init_from: str | None = None) -> TrainTask:
    start = None if init_from is None else InitFrom(weights=init_from, reinitialize="class_predictor")
    return TrainTask(detector=DETECTOR, solver=solver, dataset=dataset, init_from=start, seed=1)


def predict_task(dataset: str, weights: str) -> PredictTask:
    return PredictTask(
        detector=DETECTOR, weights=weights, class_count=len(CATEGORIES), dataset=dataset, predict=PREDICT
    )


def export_task(dataset: str, weights: str) -> ExportTask:
    return ExportTask(detector=DETECTOR, weights=weights, dataset=dataset, predict=PREDICT)


def write_dataset(folder: Path, image_count: int) -> bytes:
    """Images of one rectangle each, in the folder. Returns their manifest."""
    header = {"cassl": "dataset", "version": 1, "categories": CATEGORIES, "image_count": image_count}
    lines = [header, *(write_image(folder, number) for number in range(image_count))]
    return "".join(f"{json.dumps(line)}\n" for line in lines).encode()


def write_image(folder: Path, number: int) -> dict[str, object]:
    rng = np.random.default_rng(number)
    pixels = rng.integers(100, 140, (SIDE_PX, SIDE_PX, 3), dtype=np.uint8)
    x, y, side = (int(value) for value in rng.integers(5, 25, 3))
    class_index = number % len(CATEGORIES)
    pixels[y : y + side, x : x + side] = [(255, 0, 0), (0, 0, 255)][class_index]
    path = folder / f"{number}.png"
    Image.fromarray(pixels).save(path)
    box = {"box_xywh": [x, y, side, side], "class_index": class_index, "area": side * side, "iscrowd": False}
    return {
        "id": number + 1,
        "file_name": path.name,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "width_px": SIDE_PX,
        "height_px": SIDE_PX,
        "annotations": [box],
    }
