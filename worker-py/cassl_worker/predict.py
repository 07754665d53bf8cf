"""Detections on every image of a dataset, as the payloads of prediction frames."""

from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from cassl.v1.task_pb2 import DetectorConfig, PredictConfig, PredictTask

from cassl_worker.checkpoint import load_detector
from cassl_worker.data import Dataset
from cassl_worker.detections import Detections, detections_of
from cassl_worker.detectors import SEGMENTERS
from cassl_worker.detectors.interface import Detector
from cassl_worker.errors import CasslError
from cassl_worker.images import Size, decode, letterbox, prefetch
from cassl_worker.records import Shard

BATCHES_AHEAD = 4
LOADING_THREADS = 2


@dataclass(frozen=True)
class Batch:
    """images: (N, H, W, 3) uint8 RGB, of the dataset's images at `positions`."""

    shard: int
    positions: range
    ends_shard: bool
    images: Tensor


@lru_cache(maxsize=1)
def kept_detector(config: bytes, class_count: int, weights: Path, device: torch.device) -> Detector:
    """The detector of the last call with the same arguments; leases of one prediction follow each other in seconds.

    config: a serialized DetectorConfig. `kept_detector.cache_clear()` frees its memory.
    """
    return load_detector(DetectorConfig.FromString(config), class_count, weights).to(device)


def predict(
    task: PredictTask, dataset: Dataset, *, weights: Path, device: torch.device, shards: Sequence[int]
) -> Generator[Shard]:
    """These shards of a dataset, in their order. Closing the generator cancels.

    CONFIG_INVALID if masks are asked for that the family does not give.
    """
    detector = kept_detector(task.detector.SerializeToString(), task.class_count, weights, device)
    if task.masks and detector.MASK_FORM is None:
        raise CasslError(
            "CONFIG_INVALID",
            f"Masks are asked for, which the family `{task.detector.family}` does not give.",
            f"Choose one of: {', '.join(SEGMENTERS)}.",
        )
    found: list[Detections] = []
    with closing(read_batches(task, dataset, shards)) as batches:
        for batch in batches:
            sizes = [(dataset.images[at].width_px, dataset.images[at].height_px) for at in batch.positions]
            found += detect(detector, batch.images.to(device), sizes, task.predict, masks=task.masks)
            if batch.ends_shard:
                yield to_shard(batch.shard, batch.shard * task.predict.shard_size, found)
                found = []


def read_batches(task: PredictTask, dataset: Dataset, shards: Sequence[int]) -> Generator[Batch]:
    """Batches of images, prepared in the background. No batch crosses the border of a shard."""
    config, count = task.predict, len(dataset.images)
    input_size = (task.detector.input_width_px, task.detector.input_height_px)

    def read(part: tuple[int, range, bool]) -> Batch:
        shard, positions, ends_shard = part
        inputs = [letterbox(decode(dataset.images[at], dataset.root, dataset.remote), input_size) for at in positions]
        return Batch(shard, positions, ends_shard, torch.from_numpy(np.stack(inputs)))

    parts = (
        (shard, images[first : first + config.images_per_batch], first + config.images_per_batch >= len(images))
        for shard in shards
        for images in [range(count)[shard * config.shard_size : (shard + 1) * config.shard_size]]
        for first in range(0, len(images), config.images_per_batch)
    )
    return prefetch(read, parts, ahead=BATCHES_AHEAD, threads=LOADING_THREADS)


@torch.inference_mode()
def detect(
    detector: Detector, images: Tensor, sizes: Sequence[Size], config: PredictConfig, *, masks: bool = False
) -> list[Detections]:
    """images: (N, H, W, 3) uint8, letterboxed; sizes: those of the original images."""
    input_size = (images.shape[2], images.shape[1])
    form, outputs = detector.MASK_FORM if masks else None, detector.dense(images)
    kept = [output.cpu() for output in (outputs[:2] if form is None else outputs)]
    return [
        detections_of([output[at] for output in kept], form, size, input_size, config) for at, size in enumerate(sizes)
    ]


def to_shard(shard: int, first: int, found: Sequence[Detections]) -> Shard:
    """first: position in the dataset of the shard's first image. Either all detections have masks or none."""
    counts = np.array([len(detections.scores) for detections in found], dtype=np.int32)
    columns = [
        np.arange(first, first + len(found), dtype=np.int32),
        counts,
        *(detections.boxes for detections in found),
        *(detections.scores for detections in found),
        *(detections.classes for detections in found),
    ]
    payload = b"".join(column.astype(column.dtype.newbyteorder("<")).tobytes() for column in columns)
    masks = [detections.masks for detections in found if detections.masks is not None]
    if not masks:
        return Shard(shard, len(found), int(counts.sum()), payload)
    mask_counts = [mask for of_image in masks for mask in of_image]
    lengths, runs = np.array([len(mask) for mask in mask_counts], dtype="<i4"), b"".join(mask_counts)
    return Shard(shard, len(found), int(counts.sum()), payload + lengths.tobytes() + runs, len(runs))
