"""RetinaNet and FCOS of detectron2."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

import torch
from detectron2.layers import cat
from detectron2.modeling.box_regression import Box2BoxTransformLinear
from detectron2.modeling.meta_arch.dense_detector import permute_to_N_HWA_K
from detectron2.structures import Boxes, ImageList, Instances
from torch import Tensor

from cassl_worker.detectors.detectron2.base import Detectron2Detector
from cassl_worker.detectors.interface import HeadPrefixes


class DenseDetector(Detectron2Detector):
    """Every anchor predicts class logits and one box."""

    HEAD_PREFIXES: ClassVar[HeadPrefixes] = {
        "box_tower": ("model.head.bbox_subnet.", "model.head.bbox_pred.", "model.head.ctrness."),
        "classification_tower": ("model.head.cls_subnet.",),
        "class_predictor": ("model.head.cls_score.",),
    }

    def losses_of(
        self, features: Mapping[str, Tensor], images: ImageList, targets: Sequence[Instances]
    ) -> dict[str, Tensor]:
        levels = self.levels(features)
        predictions = [[level.float() for level in kind] for kind in self.model.head(levels)]
        with torch.autocast(images.tensor.device.type, enabled=False):
            losses: dict[str, Tensor] = self.model.forward_training(images, levels, predictions, targets)
        return losses

    def dense(self, images: Tensor) -> tuple[Tensor, ...]:
        """score = sigmoid of the class logit; with centerness, as in FCOS, the geometric mean of both."""
        levels = self.levels(self.pyramid(images))
        logits, deltas, *centerness = self.model.head(levels)
        anchors = Boxes.cat(self.model.anchor_generator(levels)).tensor
        scores = torch.sigmoid(joined(logits, self.model.num_classes))
        if centerness:
            scores = torch.sqrt(scores * torch.sigmoid(joined(centerness[0], 1)))
        return decode(self.model.box2box_transform, joined(deltas, 4), anchors), scores

    def expanded(self, name: str, tensor: Tensor, class_count: int) -> Tensor:
        """The rows of a predictor are grouped by anchor."""
        return tensor.repeat_interleave(class_count, dim=0)

    def levels(self, features: Mapping[str, Tensor]) -> list[Tensor]:
        return [features[name] for name in self.model.head_in_features]


def joined(levels: Sequence[Tensor], width: int) -> Tensor:
    """(N, anchors * width, H, W) of each level to (N, L, width) float32."""
    flat: Tensor = cat([permute_to_N_HWA_K(level, width) for level in levels], dim=1)
    return flat.float()


def decode(transform: object, deltas: Tensor, anchors: Tensor) -> Tensor:
    """Boxes (N, L, 4k) xyxy, by a transform of detectron2.

    Args:
        deltas: (N, L, 4k). anchors: (L, 4) or (N, L, 4) xyxy.
    """
    if isinstance(transform, Box2BoxTransformLinear):
        return decode_distances(deltas, anchors, by_size=transform.normalize_by_size)
    batched = anchors.expand(*deltas.shape[:2], 4)
    boxes: Tensor = transform.apply_deltas(deltas.flatten(0, 1), batched.flatten(0, 1))  # type: ignore[attr-defined]
    return boxes.reshape(deltas.shape)


def decode_distances(distances: Tensor, anchors: Tensor, *, by_size: bool) -> Tensor:
    """What Box2BoxTransformLinear does, without its writes to parts of a tensor, which make poor ONNX."""
    side = anchors[..., 2:] - anchors[..., :2]
    center = anchors[..., :2] + side / 2
    lengths = torch.relu(distances) * (torch.cat([side, side], dim=-1) if by_size else 1)
    return torch.cat([center - lengths[..., :2], center + lengths[..., 2:]], dim=-1)
