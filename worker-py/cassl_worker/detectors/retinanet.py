"""The family `retinanet` (Lin et al., ICCV 2017, arXiv 1708.02002), with group normalization in its towers."""

from collections.abc import Sequence
from functools import partial
from typing import ClassVar

import torch
from torch import Tensor, nn
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.retinanet import RetinaNet, RetinaNetHead

from cassl.v1.task_pb2 import DetectorConfig

from cassl_worker.detectors.boxes import decode_deltas
from cassl_worker.detectors.interface import Detector, HeadPrefixes, Target
from cassl_worker.detectors.pyramid import PyramidFeatures, fixed_anchors
from cassl_worker.images import Size

ANCHOR_STRIDES = 4
"""Side of a level's smallest anchors in strides; two larger ones divide the octave up to the next level."""
ASPECT_RATIOS = (0.5, 1.0, 2.0)
GROUP_CHANNELS = 8


class RetinaNetDetector(Detector):
    """Nine anchors at every location of the pyramid, each with class logits and the deltas to its box.

    Attributes:
        anchors: (L, 4) float32 xyxy, input px; all levels, finest first.
    """

    HEAD_PREFIXES: ClassVar[HeadPrefixes] = {
        "box_tower": ("model.head.regression_head.",),
        "classification_tower": ("model.head.classification_head.conv.",),
        "class_predictor": ("model.head.classification_head.cls_logits.",),
    }
    anchors: Tensor

    def __init__(self, config: DetectorConfig, class_count: int) -> None:
        super().__init__(config)
        generator = build_anchor_generator(config.strides_px)
        self.model = RetinaNet(
            PyramidFeatures(config), class_count, anchor_generator=generator, head=build_head(config, class_count)
        )
        self.fit_to(self.input_size)
        self.eval().to(memory_format=torch.channels_last)

    def fit_to(self, input_size: Size) -> None:
        super().fit_to(input_size)
        anchors = torch.cat(fixed_anchors(self.model.anchor_generator, input_size, self.features.strides_px))
        self.register_buffer("anchors", anchors.to(self.features.pixel_mean), persistent=False)

    def losses(self, images: Tensor, targets: Sequence[Target]) -> dict[str, Tensor]:
        outputs = self.head_outputs(images)
        given = [target.as_torchvision() for target in targets]
        with torch.autocast(images.device.type, enabled=False):
            losses: dict[str, Tensor] = self.model.compute_loss(given, outputs, [self.anchors] * len(targets))
        return losses

    def dense(self, images: Tensor) -> tuple[Tensor, Tensor]:
        outputs = self.head_outputs(images)
        boxes = decode_deltas(self.model.box_coder, outputs["bbox_regression"], self.anchors)
        return boxes, torch.sigmoid(outputs["cls_logits"])

    def expanded(self, name: str, tensor: Tensor, class_count: int) -> Tensor:
        """The rows of a predictor are grouped by anchor."""
        return tensor.repeat_interleave(class_count, dim=0)

    def head_outputs(self, images: Tensor) -> dict[str, Tensor]:
        """float32: cls_logits (N, L, K), bbox_regression (N, L, 4)."""
        outputs = self.model.head(list(self.features(images).values()))
        return {name: output.float() for name, output in outputs.items()}


def build_anchor_generator(strides_px: Sequence[int]) -> AnchorGenerator:
    sizes = tuple(tuple(int(stride * ANCHOR_STRIDES * 2 ** (step / 3)) for step in range(3)) for stride in strides_px)
    return AnchorGenerator(sizes, (ASPECT_RATIOS,) * len(sizes))


def build_head(config: DetectorConfig, class_count: int) -> RetinaNetHead:
    """torchvision's head with towers cut to the depth asked for: torchvision always makes them four layers deep."""
    normalization = partial(nn.GroupNorm, config.fpn_channels // GROUP_CHANNELS)
    anchors = 3 * len(ASPECT_RATIOS)
    head = RetinaNetHead(config.fpn_channels, anchors, class_count, norm_layer=normalization)
    for part in (head.classification_head, head.regression_head):
        part.conv = part.conv[: config.head_convolutions]
    return head
