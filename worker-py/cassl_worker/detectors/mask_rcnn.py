"""The family `mask_rcnn` (He et al., ICCV 2017, arXiv 1703.06870): Faster R-CNN with one mask for all classes.

As with boxes, a class-agnostic mask predictor (`CLS_AGNOSTIC_MASK` elsewhere) lets a warm-up without classes hand it
over whole.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import ClassVar

import torch
from torch import Tensor
from torchvision.models.detection.mask_rcnn import MaskRCNNHeads, MaskRCNNPredictor
from torchvision.models.detection.roi_heads import maskrcnn_loss
from torchvision.ops import MultiScaleRoIAlign

from cassl.v1.task_pb2 import DetectorConfig

from cassl_worker.detectors.boxes import clip, suppress, take
from cassl_worker.detectors.faster_rcnn import SAMPLES_PER_BIN, FasterRcnnDetector, Samples, float32
from cassl_worker.detectors.interface import HeadPrefixes, MaskForm, Target
from cassl_worker.detectors.regions import align_regions, region_levels

MASK_ROI_SIDE = 14
"""Samples along a side of a region; its mask has twice as many."""
MASK_CONVOLUTIONS = 4
MASKED_REGIONS = 100
"""Regions of an image that get a mask in prediction, as in the paper: the mask head is what costs most."""
REGION_NMS_IOU = 0.7
"""Of regions that overlap more, whatever their classes, only the best gets a mask."""


class MaskRcnnDetector(FasterRcnnDetector):
    """Each region of the second stage has a mask of 28 x 28 logits, the same for all classes."""

    MASK_FORM: ClassVar[MaskForm | None] = "regions"
    HEAD_PREFIXES: ClassVar[HeadPrefixes] = {
        **FasterRcnnDetector.HEAD_PREFIXES,
        "mask_head": ("model.roi_heads.mask_head.", "model.roi_heads.mask_predictor."),
    }

    def __init__(self, config: DetectorConfig, class_count: int) -> None:
        super().__init__(config, class_count)
        channels, heads = config.fpn_channels, self.model.roi_heads
        heads.mask_roi_pool = MultiScaleRoIAlign(region_levels(config.strides_px), MASK_ROI_SIDE, SAMPLES_PER_BIN)
        heads.mask_head = MaskRCNNHeads(channels, [channels] * MASK_CONVOLUTIONS, dilation=1)
        heads.mask_predictor = MaskRCNNPredictor(channels, channels, 1)
        self.eval().to(memory_format=torch.channels_last)

    def region_losses(
        self, features: "OrderedDict[str, Tensor]", samples: Samples, targets: Sequence[Target]
    ) -> dict[str, Tensor]:
        losses = super().region_losses(features, samples, targets)
        return {**losses, "mask": self.mask_loss(features, samples, targets)}

    def mask_loss(self, features: "OrderedDict[str, Tensor]", samples: Samples, targets: Sequence[Target]) -> Tensor:
        """torchvision's: cross-entropy of the pixels of regions that show an object."""
        masks = [masks_of(target) for target in targets]
        images = zip(samples.labels, samples.matches, masks, strict=True)
        learned = [torch.where((label > 0) & has_mask(mask, match))[0] for label, match, mask in images]
        boxes = [box[rows] for box, rows in zip(samples.boxes, learned, strict=True)]
        matches = [match[rows] for match, rows in zip(samples.matches, learned, strict=True)]
        heads = self.model.roi_heads
        regions = heads.mask_roi_pool(features, boxes, [self.input_size[::-1]] * len(targets))
        logits = heads.mask_predictor(heads.mask_head(regions))
        only_class = [torch.zeros_like(target.labels) for target in targets]
        self.divisors = {**self.divisors, "mask": sum(map(len, boxes))}
        loss: Tensor = maskrcnn_loss(logits, boxes, masks, only_class, matches)
        return loss

    def dense(self, images: Tensor) -> tuple[Tensor, ...]:
        """Boxes are clipped to the input, and at most MASKED_REGIONS."""
        features = float32(self.features(images))
        boxes, scores = self.candidates(features)
        boxes, scores = best_regions(clip(boxes, self.input_size), scores)
        return boxes, scores, self.region_masks(features, boxes)

    def region_masks(self, features: Mapping[str, Tensor], boxes: Tensor) -> Tensor:
        """boxes: (N, L, 4). Returns logits (N, L, 1, 28, 28)."""
        heads = self.model.roi_heads
        regions = align_regions(features, boxes, MASK_ROI_SIDE, SAMPLES_PER_BIN)
        logits: Tensor = heads.mask_predictor(heads.mask_head(regions))
        return logits.reshape(-1, boxes.shape[1], *logits.shape[1:])


def best_regions(boxes: Tensor, scores: Tensor) -> tuple[Tensor, Tensor]:
    """boxes: (N, P, 4), scores: (N, P, K). Those that get a mask, best first."""
    if boxes.shape[1] <= MASKED_REGIONS:
        return boxes, scores
    order = scores.amax(dim=-1).argsort(dim=-1, descending=True, stable=True)
    boxes, scores = take(boxes, order), take(scores, order)
    kept = suppress(boxes, REGION_NMS_IOU).float()
    _, best = (scores.amax(dim=-1) * kept).topk(MASKED_REGIONS)
    return take(boxes, best), take(scores * kept[..., None], best)


def masks_of(target: Target) -> Tensor:
    assert target.masks is not None
    return target.masks


def has_mask(masks: Tensor, matches: Tensor) -> Tensor:
    """(S,) bool: whether the object that a region belongs to shows a pixel. masks: (M, H, W). matches: (S,)."""
    if len(masks) == 0:
        return torch.zeros_like(matches, dtype=torch.bool)
    return masks.flatten(1).any(dim=1)[matches]
