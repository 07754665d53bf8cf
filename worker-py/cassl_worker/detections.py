"""From the dense output of a detector to the detections in an image."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torchvision.ops import batched_nms

from cassl.v1.task_pb2 import PredictConfig

from cassl_worker.detectors.interface import MaskForm
from cassl_worker.images import Size, letterbox_size
from cassl_worker.mask_decoding import MaskGrids, PrototypeGrids, RegionGrids, decode_masks


@dataclass(frozen=True)
class Detections:
    """The objects found in one image, best first.

    Attributes:
        boxes: (B, 4) float32 xyxy, px of the original image, inside it and of positive area.
        scores: (B,) float32 in [0, 1].
        classes: (B,) int32, class indices.
        masks: (B,) masks of the whole image in COCO's compressed form, ASCII. None: there are none.
    """

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    classes: NDArray[np.int32]
    masks: tuple[bytes, ...] | None = None


@dataclass(frozen=True)
class Selection:
    """The candidates of one image that count, best first.

    Attributes:
        candidates: (B,) int64, their positions among all.
        boxes: (B, 4) float32 xyxy, input px, not clipped.
        scores: (B,) float32. classes: (B,) int64.
    """

    candidates: Tensor
    boxes: Tensor
    scores: Tensor
    classes: Tensor


def detections_of(
    outputs: Sequence[Tensor], masks: MaskForm | None, size: Size, input_size: Size, config: PredictConfig
) -> Detections:
    """What one image's part of a dense output comes to. masks: their form; None: none are wanted."""
    boxes, scores, *mask_outputs = outputs
    selection = select(boxes, scores, config)
    solid, found = to_detections(selection, size, input_size)
    if masks is None:
        return found
    grids = to_grids(masks, boxes, mask_outputs, input_size)
    candidates = selection.candidates[torch.from_numpy(solid)].tolist()
    return with_masks(found, decode_masks(grids, candidates, found.classes.tolist(), found.boxes, size))


def select(boxes: Tensor, scores: Tensor, config: PredictConfig) -> Selection:
    """From all candidates of an image, boxes (L, 4) xyxy and scores (L, K), those that count.

    Of equal scores the one of the lower index counts first.
    """
    flat = scores.flatten()
    candidates = torch.where(flat >= config.score_threshold)[0]
    best = torch.sort(flat[candidates], descending=True, stable=True).indices[: config.max_candidates]
    candidates = candidates[best]
    locations, classes = candidates // scores.shape[1], candidates % scores.shape[1]
    # Non-negative and double, because torchvision keeps classes apart by adding offsets to the coordinates.
    chosen = boxes[locations].double()
    shifted = chosen - chosen.min() if len(chosen) > 0 else chosen
    kept = batched_nms(shifted, flat[candidates].double(), classes, config.nms_iou)
    kept = kept.sort().values[: config.max_detections]
    return Selection(locations[kept], boxes[locations[kept]], flat[candidates[kept]], classes[kept])


def to_detections(selection: Selection, size: Size, input_size: Size) -> tuple[NDArray[np.bool_], Detections]:
    """Boxes in input px to the original image, clipped to it; those without area are dropped.

    Returns (B,), which are left, and these.
    """
    limits = np.tile(np.array(size, dtype=np.float64), 2)
    scale = limits / np.tile(letterbox_size(size, input_size), 2)
    # The image's sides are whole numbers, which float32 holds exactly, so that rounding leads no box out of it.
    inside = np.clip(selection.boxes.double().numpy() * scale, 0, limits).astype(np.float32)
    solid = (inside[:, 2:] > inside[:, :2]).all(axis=1)
    scores, classes = selection.scores.numpy(), selection.classes.numpy().astype(np.int32)
    return solid, Detections(inside[solid], scores[solid], classes[solid])


def to_grids(form: MaskForm, boxes: Tensor, outputs: Sequence[Tensor], input_size: Size) -> MaskGrids:
    first, *others = (output.numpy() for output in outputs)
    if form == "regions":
        return RegionGrids(first, boxes.numpy(), input_size)
    return PrototypeGrids(first, others[0], input_size)


def with_masks(found: Detections, masks: Sequence[bytes | None]) -> Detections:
    """Detections whose mask is empty are dropped."""
    kept = [at for at, mask in enumerate(masks) if mask is not None]
    counts = tuple(mask for mask in masks if mask is not None)
    return Detections(found.boxes[kept], found.scores[kept], found.classes[kept], counts)
