"""Faster, Mask and Cascade R-CNN of detectron2."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from detectron2.modeling.poolers import ROIPooler
from detectron2.structures import ImageList, Instances
from torch import Tensor, nn

from cassl.v1.task_pb2 import DetectorConfig

from cassl_worker.detectors.boxes import clip, strongest, take
from cassl_worker.detectors.detectron2.base import Detectron2Detector, float32, in_training
from cassl_worker.detectors.detectron2.dense import decode, joined
from cassl_worker.detectors.interface import HeadPrefixes, MaskForm
from cassl_worker.detectors.mask_rcnn import best_regions
from cassl_worker.detectors.regions import align_regions


class RegionDetector(Detectron2Detector):
    """Regions of a first stage, each with K + 1 class logits, the last of which is background, and refined boxes.

    Attributes:
        has_class_boxes, has_class_masks: whether each class has a box, or a mask, of its own.
    """

    def __init__(
        self,
        config: DetectorConfig,
        model: nn.Module,
        *,
        is_bgr: bool = False,
        has_class_boxes: bool = False,
        has_class_masks: bool = False,
    ) -> None:
        super().__init__(config, model, is_bgr=is_bgr)
        self.proposal_count = config.proposals
        self.has_class_boxes, self.has_class_masks = has_class_boxes, has_class_masks

    def head_prefixes(self) -> HeadPrefixes:
        """Of a cascade each stage has a head and a predictor."""
        heads = self.model.roi_heads
        logits = [f"{predictor}cls_score." for predictor in predictor_prefixes(heads)]
        boxes = [f"{predictor}bbox_pred." for predictor in predictor_prefixes(heads)]
        layers = [name for name, _ in heads.mask_head.named_children()] if heads.mask_on else []
        masks = [f"model.roi_heads.mask_head.{name}." for name in layers]
        of_classes = [*logits, *(boxes if self.has_class_boxes else []), *(masks[-1:] if self.has_class_masks else [])]
        return {
            "box_tower": ("model.proposal_generator.",),
            "classification_tower": ("model.roi_heads.box_head.", *(() if self.has_class_boxes else boxes)),
            "class_predictor": tuple(of_classes),
            **({"mask_head": tuple(masks[:-1] if self.has_class_masks else masks)} if heads.mask_on else {}),
        }

    def losses_of(
        self, features: Mapping[str, Tensor], images: ImageList, targets: Sequence[Instances]
    ) -> dict[str, Tensor]:
        first, second = self.model.proposal_generator, self.model.roi_heads
        with torch.autocast(images.tensor.device.type, enabled=False), in_training(first, second):
            levels = float32(features)
            proposals, losses = first(images, levels, targets)
            _, refined = second(images, levels, proposals, targets)
        return {**losses, **refined}

    def dense(self, images: Tensor) -> tuple[Tensor, ...]:
        return self.candidates(float32(self.pyramid(images)))

    def candidates(self, features: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """score = the class's share in the softmax over the classes and background; of a cascade, the stages' mean."""
        boxes, exists = self.proposals(features)
        heads, shares = self.model.roi_heads, []
        for head, predictor in stages(heads):
            regions = head(self.align(heads.box_pooler, heads.box_in_features, features, boxes))
            logits, deltas = (output.reshape(*boxes.shape[:2], -1) for output in predictor(regions))
            boxes = self.clipped(decode(predictor.box2box_transform, deltas, boxes))
            shares.append(probabilities(predictor, logits))
        scores = torch.stack(shares).mean(dim=0) * exists[..., None]
        return apart(boxes, scores) if self.has_class_boxes else (boxes, scores)

    def proposals(self, features: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """The best regions: (N, P, 4) xyxy and, (N, P) float32, 1 where there is one and 0 where there are too few."""
        first = self.model.proposal_generator
        levels = [features[name] for name in first.in_features]
        anchors = [boxes.tensor for boxes in first.anchor_generator(levels)]
        chosen = []
        for logits, deltas, of_level in zip(*first.rpn_head(levels), anchors, strict=True):
            boxes = self.clipped(decode(first.box2box_transform, joined([deltas], 4), of_level))
            scores = torch.sigmoid(joined([logits], 1)[..., 0]) * has_area(boxes)
            chosen.append(strongest(boxes, scores, self.proposal_count, first.nms_thresh))
        boxes, scores = (torch.cat(kind, dim=1) for kind in zip(*chosen, strict=True))
        best, order = scores.topk(min(self.proposal_count, scores.shape[1]))
        return take(boxes, order), (best > 0).float()

    def align(self, pooler: ROIPooler, names: Sequence[str], features: Mapping[str, Tensor], boxes: Tensor) -> Tensor:
        """boxes: (N, P, 4). Returns (N * P, C, side, side) as the pooler would."""
        aligner = pooler.level_poolers[0]
        levels = {
            str(round(1 / level.spatial_scale)): features[name]
            for name, level in zip(names, pooler.level_poolers, strict=True)
        }
        return align_regions(levels, boxes, pooler.output_size[0], aligner.sampling_ratio, half_pixel=aligner.aligned)

    def clipped(self, boxes: Tensor) -> Tensor:
        """boxes: (N, L, 4k)."""
        return clip(boxes.reshape(*boxes.shape[:2], -1, 4), self.input_size).reshape(boxes.shape)

    def expanded(self, name: str, tensor: Tensor, class_count: int) -> Tensor:
        """The object's rows for every class; less bias of the logits, so that the classes together are as likely as the
        object was."""
        if "cls_score" not in name:
            return tensor.repeat(class_count, *[1] * (tensor.ndim - 1))
        one, background = tensor[:1], tensor[1:]
        shift = math.log(class_count) if name.endswith(".bias") else 0.0
        return torch.cat([(one - shift).repeat(class_count, *[1] * (tensor.ndim - 1)), background])


class MaskedRegionDetector(RegionDetector):
    """Each region of the second stage has a mask, one for all classes or one for each."""

    MASK_FORM: ClassVar[MaskForm | None] = "regions"

    def dense(self, images: Tensor) -> tuple[Tensor, ...]:
        """Only the best regions have masks, and so are candidates."""
        features, heads = float32(self.pyramid(images)), self.model.roi_heads
        boxes, scores = best_regions(*self.candidates(features))
        logits = heads.mask_head.layers(self.align(heads.mask_pooler, heads.mask_in_features, features, boxes))
        return boxes, scores, logits.reshape(*boxes.shape[:2], *logits.shape[1:])


def stages(heads: Any) -> list[tuple[Any, Any]]:
    """Head and predictor of each stage that refines boxes."""
    if isinstance(heads.box_head, nn.ModuleList):
        return list(zip(heads.box_head, heads.box_predictor, strict=True))
    return [(heads.box_head, heads.box_predictor)]


def predictor_prefixes(heads: Any) -> list[str]:
    """What the names of each stage's predictor begin with."""
    prefix = "model.roi_heads.box_predictor."
    if isinstance(heads.box_predictor, nn.ModuleList):
        return [f"{prefix}{number}." for number in range(len(heads.box_predictor))]
    return [prefix]


def probabilities(predictor: Any, logits: Tensor) -> Tensor:
    """(N, P, K + 1) to (N, P, K)."""
    return torch.sigmoid(logits)[..., :-1] if predictor.use_sigmoid_ce else torch.softmax(logits, dim=-1)[..., :-1]


def has_area(boxes: Tensor) -> Tensor:
    """(N, L) float32, 1 where a box (N, L, 4) has an area."""
    return (boxes[..., 2:] > boxes[..., :2]).all(dim=-1).float()


def apart(boxes: Tensor, scores: Tensor) -> tuple[Tensor, Tensor]:
    """Boxes (N, P, 4K), one for each class, as P * K candidates that each can only be of their class."""
    class_count = scores.shape[-1]
    own = torch.eye(class_count, dtype=scores.dtype, device=scores.device)
    return boxes.reshape(boxes.shape[0], -1, 4), (scores[..., None] * own).flatten(1, 2)
