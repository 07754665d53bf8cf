"""The family `light`: EfficientNet-Lite0, a feature pyramid and an FCOS head. It trains on two CPU cores."""

import math
from collections import OrderedDict
from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional
from torchvision.models.detection.fcos import FCOS, FCOSClassificationHead, FCOSHead, FCOSRegressionHead
from torchvision.ops import FeaturePyramidNetwork

from cassl.v1.task_pb2 import DetectorConfig

from cassl_worker.detectors.backbone import CHANNELS, Backbone
from cassl_worker.detectors.interface import Detector, Target

PIXEL_MEAN = 127.0
PIXEL_STD = 128.0
ANCHOR_STRIDES = 0.5
"""Side of an anchor in strides. A location at stride S learns objects whose farthest side is 4 to 8 anchors away (the
finest level: 0 to 8, the coarsest: 4 or more), so that strides 8, 16, 32 divide objects at about 40 and 80 px, which
fits inputs of some hundred pixels."""
CENTER_RADIUS_STRIDES = 1.5
"""Only locations within this many strides of an object's center learn the object."""
GROUP_CHANNELS = 16
"""Channels to a group of the head's group normalization."""
START_DISTANCE_ANCHORS = 3.0
"""What an untrained head predicts as the distance from a location to each side of its box. Starting at 0, half of the
locations would sit where the rectifier has no gradient."""


class LightDetector(Detector):
    """Every location of the pyramid predicts one box: class logits, centerness, and its distances to the four sides.

    Attributes:
        anchors: (L, 4) float32 xyxy, input px; the locations of all levels, finest first, row by row.
    """

    anchors: Tensor

    def __init__(self, config: DetectorConfig, class_count: int) -> None:
        super().__init__()
        features = PyramidFeatures(config.backbone_weights, config.fpn_channels, config.strides_px)
        self.fcos = FCOS(
            features,
            class_count,
            head=build_head(config.fpn_channels, config.head_convolutions, class_count),
            center_sampling_radius=CENTER_RADIUS_STRIDES / ANCHOR_STRIDES,
        )
        grids = [grid_size(config, stride) for stride in config.strides_px]
        self.locations_per_level = [rows * columns for rows, columns in grids]
        levels = zip(grids, config.strides_px, strict=True)
        anchors = torch.cat([level_anchors(*grid, stride) for grid, stride in levels])
        self.register_buffer("anchors", anchors, persistent=False)
        self.eval().to(memory_format=torch.channels_last)

    def losses(self, images: Tensor, targets: Sequence[Target]) -> dict[str, Tensor]:
        outputs = self.head_outputs(images)
        fcos_targets = [{"boxes": target.boxes, "labels": target.labels} for target in targets]
        anchors = [self.anchors] * len(targets)
        with torch.autocast(images.device.type, enabled=False):
            losses: dict[str, Tensor] = self.fcos.compute_loss(fcos_targets, outputs, anchors, self.locations_per_level)
        return losses

    def dense(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """score = sqrt(sigmoid(class logit) * sigmoid(centerness))."""
        outputs = self.head_outputs(images)
        boxes = self.fcos.box_coder.decode(outputs["bbox_regression"], self.anchors)
        scores = torch.sqrt(torch.sigmoid(outputs["cls_logits"]) * torch.sigmoid(outputs["bbox_ctrness"]))
        return boxes, scores

    def head_outputs(self, images: Tensor) -> dict[str, Tensor]:
        """float32: cls_logits (N, L, K), bbox_regression (N, L, 4) in anchors, bbox_ctrness (N, L, 1)."""
        # NHWC seen as NCHW is the channels-last layout, which convolutions on CPU are fastest in.
        normalized = (images.permute(0, 3, 1, 2).float() - PIXEL_MEAN) / PIXEL_STD
        outputs = self.fcos.head(list(self.fcos.backbone(normalized).values()))
        return {name: output.float() for name, output in outputs.items()}

    def backbone_stages(self) -> Sequence[Sequence[nn.Module]]:
        stages: Sequence[Sequence[nn.Module]] = self.fcos.backbone.body.stages()
        return stages

    def class_dependent_tensors(self) -> frozenset[str]:
        return self.names_in("fcos.head.classification_head.cls_logits.")

    def classification_tower_tensors(self) -> frozenset[str]:
        return self.names_in("fcos.head.classification_head.conv.")

    def names_in(self, prefix: str) -> frozenset[str]:
        return frozenset(name for name in self.state_dict() if name.startswith(prefix))


class PyramidFeatures(nn.Module):
    """Backbone and feature pyramid. Strides above 32 px are added by convolutions on the coarsest level."""

    def __init__(self, backbone_weights: str, channels: int, strides_px: Sequence[int]) -> None:
        super().__init__()
        self.out_channels = channels
        self.strides_px = tuple(strides_px)
        self.body_strides_px = [stride for stride in CHANNELS if stride >= min(*strides_px, max(CHANNELS))]
        extra_levels = max(0, int(math.log2(max(strides_px) / max(CHANNELS))))
        self.body = Backbone(backbone_weights)
        self.fpn = FeaturePyramidNetwork([CHANNELS[stride] for stride in self.body_strides_px], channels)
        self.extra = nn.ModuleList(nn.Conv2d(channels, channels, 3, stride=2, padding=1) for _ in range(extra_levels))

    def forward(self, images: Tensor) -> "OrderedDict[str, Tensor]":
        """images: (N, 3, H, W), normalized. Returns (N, channels, H / stride, W / stride) by stride, finest first."""
        body = self.body(images)
        levels = self.fpn(OrderedDict((str(stride), body[stride]) for stride in self.body_strides_px))
        stride = max(CHANNELS)
        for convolution in self.extra:
            coarser = convolution(functional.relu(levels[str(stride)]))
            stride *= 2
            levels[str(stride)] = coarser
        return OrderedDict((str(stride), levels[str(stride)]) for stride in self.strides_px)


def build_head(channels: int, convolutions: int, class_count: int) -> FCOSHead:
    """torchvision's head with group normalization for any multiple of 16 channels; its own needs a multiple of 32."""
    normalization = partial(nn.GroupNorm, channels // GROUP_CHANNELS)
    head = FCOSHead(channels, num_anchors=1, num_classes=class_count, num_convs=0)
    head.classification_head = FCOSClassificationHead(
        channels, num_anchors=1, num_classes=class_count, num_convs=convolutions, norm_layer=normalization
    )
    head.regression_head = FCOSRegressionHead(channels, num_anchors=1, num_convs=convolutions, norm_layer=normalization)
    nn.init.constant_(head.regression_head.bbox_reg.bias, START_DISTANCE_ANCHORS)
    return head


def grid_size(config: DetectorConfig, stride: int) -> tuple[int, int]:
    """(rows, columns) of a pyramid level."""
    return math.ceil(config.input_height_px / stride), math.ceil(config.input_width_px / stride)


def level_anchors(rows: int, columns: int, stride: int) -> Tensor:
    """(rows * columns, 4) float32 xyxy, input px: a square around the center of each cell, row by row."""
    half_side = stride * ANCHOR_STRIDES / 2
    y, x = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
    centers = (torch.stack([x, y], dim=-1).reshape(-1, 2) + 0.5) * stride
    return torch.cat([centers - half_side, centers + half_side], dim=1)
