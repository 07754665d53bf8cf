"""The family `fcos` (Tian et al., ICCV 2019, arXiv 1904.01355): the detector of the CA-SSL paper."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import ClassVar

import torch
from torch import Tensor, nn
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.fcos import FCOS, FCOSClassificationHead, FCOSHead, FCOSRegressionHead

from cassl.v1.task_pb2 import DetectorConfig

from cassl_worker.detectors.interface import Detector, HeadPrefixes, Target
from cassl_worker.detectors.pyramid import PyramidFeatures, grid_sizes
from cassl_worker.images import Size

CENTER_RADIUS_STRIDES = 1.5
"""Only locations within this many strides of an object's center learn the object."""
START_DISTANCE_ANCHORS = 3.0
"""What an untrained head predicts as the distance from a location to each side of its box. Starting at 0, half of the
locations would sit where the rectifier has no gradient."""


class CountingHead(FCOSHead):  # type: ignore[misc]
    """torchvision's head and losses.

    Attributes:
        divisors: of the last losses: how many locations learned an object.
    """

    divisors: dict[str, int]

    def compute_loss(
        self,
        targets: list[dict[str, Tensor]],
        head_outputs: dict[str, Tensor],
        anchors: list[Tensor],
        matched_idxs: list[Tensor],
    ) -> dict[str, Tensor]:
        losses: dict[str, Tensor] = super().compute_loss(targets, head_outputs, anchors, matched_idxs)
        self.divisors = dict.fromkeys(losses, int((torch.stack(matched_idxs) >= 0).sum()))
        return losses


class FcosDetector(Detector):
    """Every location of the pyramid predicts one box: class logits, centerness, and its distances to the four sides.

    Attributes:
        ANCHOR_STRIDES: side of an anchor in strides. A location learns objects whose farthest side is 4 to 8 anchors
            away (the finest level: 0 to 8, the coarsest: 4 or more).
        ANCHOR_OFFSET_STRIDES: from the corner of a cell to its anchor's center. torchvision has 0.
        GROUP_CHANNELS: channels to a group of the head's group normalization.
        HEAD: the head, whose towers are then built to size.
        anchors: (L, 4) float32 xyxy, input px; the locations of all levels, finest first, row by row.
    """

    ANCHOR_STRIDES: ClassVar[float] = 1.0
    ANCHOR_OFFSET_STRIDES: ClassVar[float] = 0.0
    GROUP_CHANNELS: ClassVar[int] = 8
    HEAD: ClassVar[type[CountingHead]] = CountingHead
    HEAD_PREFIXES: ClassVar[HeadPrefixes] = {
        "box_tower": ("model.head.regression_head.",),
        "classification_tower": ("model.head.classification_head.conv.",),
        "class_predictor": ("model.head.classification_head.cls_logits.",),
    }
    anchors: Tensor

    def __init__(self, config: DetectorConfig, class_count: int) -> None:
        super().__init__(config)
        sizes = [(stride * self.ANCHOR_STRIDES,) for stride in config.strides_px]
        self.model = FCOS(
            PyramidFeatures(config),
            class_count,
            anchor_generator=AnchorGenerator(sizes, ((1.0,),) * len(sizes)),
            head=build_head(self.HEAD, config, class_count, self.GROUP_CHANNELS),
            center_sampling_radius=CENTER_RADIUS_STRIDES / self.ANCHOR_STRIDES,
        )
        self.fit_to(self.input_size)
        self.eval().to(memory_format=torch.channels_last)

    def fit_to(self, input_size: Size) -> None:
        super().fit_to(input_size)
        strides = self.features.strides_px
        grids = grid_sizes(input_size, strides)
        self.locations_per_level = [rows * columns for rows, columns in grids]
        levels = [
            level_anchors(*grid, stride, self.ANCHOR_OFFSET_STRIDES, self.ANCHOR_STRIDES)
            for grid, stride in zip(grids, strides, strict=True)
        ]
        self.register_buffer("anchors", torch.cat(levels).to(self.features.pixel_mean), persistent=False)

    def losses(self, images: Tensor, targets: Sequence[Target]) -> dict[str, Tensor]:
        outputs = self.head_outputs(images)
        given = [target.as_torchvision() for target in targets]
        anchors = [self.anchors] * len(targets)
        with torch.autocast(images.device.type, enabled=False):
            losses: dict[str, Tensor] = self.model.compute_loss(given, outputs, anchors, self.locations_per_level)
        self.divisors = self.model.head.divisors
        return losses

    def dense(self, images: Tensor) -> tuple[Tensor, ...]:
        return self.candidates(self.head_outputs(images))

    def candidates(self, outputs: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Boxes and scores: sqrt(sigmoid(class logit) * sigmoid(centerness))."""
        boxes = self.model.box_coder.decode(outputs["bbox_regression"], self.anchors)
        scores = torch.sqrt(torch.sigmoid(outputs["cls_logits"]) * torch.sigmoid(outputs["bbox_ctrness"]))
        return boxes, scores

    def expanded(self, name: str, tensor: Tensor, class_count: int) -> Tensor:
        return tensor.repeat(class_count, *[1] * (tensor.ndim - 1))

    def head_outputs(self, images: Tensor) -> dict[str, Tensor]:
        """float32: cls_logits (N, L, K), bbox_regression (N, L, 4) in anchors, bbox_ctrness (N, L, 1)."""
        outputs = self.model.head(list(self.features(images).values()))
        return {name: output.float() for name, output in outputs.items()}


def build_head(kind: type[CountingHead], config: DetectorConfig, class_count: int, group_channels: int) -> CountingHead:
    """torchvision's head, with towers of any depth and group normalization for any multiple of the group's channels."""
    channels, convolutions = config.fpn_channels, config.head_convolutions
    normalization = partial(nn.GroupNorm, channels // group_channels)
    head = kind(channels, num_anchors=1, num_classes=class_count, num_convs=0)
    head.classification_head = FCOSClassificationHead(
        channels, num_anchors=1, num_classes=class_count, num_convs=convolutions, norm_layer=normalization
    )
    head.regression_head = FCOSRegressionHead(channels, num_anchors=1, num_convs=convolutions, norm_layer=normalization)
    nn.init.constant_(head.regression_head.bbox_reg.bias, START_DISTANCE_ANCHORS)
    return head


def level_anchors(rows: int, columns: int, stride: int, offset_strides: float, side_strides: float) -> Tensor:
    """(rows * columns, 4) float32 xyxy, input px: a square for each cell, row by row."""
    y, x = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
    centers = (torch.stack([x, y], dim=-1).reshape(-1, 2) + offset_strides) * stride
    half_side = side_strides * stride / 2
    return torch.cat([centers - half_side, centers + half_side], dim=1)
