"""Backbone and feature pyramid, the same in every family."""

import math
from collections import OrderedDict
from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.ops import FeaturePyramidNetwork
from torchvision.ops.feature_pyramid_network import ExtraFPNBlock

from cassl.v1.task_pb2 import DetectorConfig

from cassl_worker.detectors.backbone import (
    COARSEST_STRIDE,
    build_body,
    channels_by_stride,
    described,
    features_by_stride,
    load_starting_weights,
    pixel_statistics,
    stages_of,
)
from cassl_worker.errors import CasslError
from cassl_worker.images import Size

NAMES_OF_EXTRA_LEVELS = {64: "p6", 128: "p7"}
"""torchvision's names of the convolutions that make the levels of these strides in px."""


class PyramidFeatures(nn.Module):
    """Images to pyramid levels, finest first.

    Attributes:
        out_channels: of every level.
        takes_any_size: whether inputs may be of another size than the configuration's.
    """

    pixel_mean: Tensor
    pixel_std: Tensor

    def __init__(self, config: DetectorConfig, coarser: Literal["convolved", "pooled"] = "convolved") -> None:
        """coarser: how levels beyond the backbone's coarsest are made: by convolutions, or by leaving out locations."""
        super().__init__()
        self.out_channels = config.fpn_channels
        self.strides_px = tuple(config.strides_px)
        self.takes_any_size = not described(config.backbone).fixed_input_size
        self.body = build_body(config.backbone, (config.input_width_px, config.input_height_px))
        channels = channels_by_stride(self.body)
        self.body_strides_px = body_strides(config, channels)
        load_starting_weights(self.body, config.backbone, config.backbone_weights)
        extra = [stride for stride in NAMES_OF_EXTRA_LEVELS if stride <= max(self.strides_px)]
        self.fpn = FeaturePyramidNetwork(
            [channels[stride] for stride in self.body_strides_px],
            config.fpn_channels,
            extra_blocks=EXTRA_BLOCKS[coarser](config.fpn_channels, extra) if extra else None,
        )
        for name, values in zip(("pixel_mean", "pixel_std"), pixel_statistics(config.backbone), strict=True):
            self.register_buffer(name, torch.tensor(values).reshape(3, 1, 1), persistent=False)

    def stages(self) -> Sequence[Sequence[nn.Module]]:
        """Of the backbone: the stem, then the stages."""
        return stages_of(self.body)

    def forward(self, images: Tensor) -> "OrderedDict[str, Tensor]":
        """images: (N, H, W, 3) uint8. Returns (N, channels, H / stride, W / stride) by stride, finest first."""
        body = self.body_features(images)
        levels = self.fpn(OrderedDict((str(stride), body[stride]) for stride in self.body_strides_px))
        return OrderedDict((str(stride), levels[str(stride)]) for stride in self.strides_px)

    def body_features(self, images: Tensor) -> dict[int, Tensor]:
        """images: (N, H, W, 3) uint8. Returns features (N, C, H / stride, W / stride) by stride in px."""
        # NHWC seen as NCHW is the channels-last layout, which convolutions on CPU are fastest in.
        normalized = (images.permute(0, 3, 1, 2).float() - self.pixel_mean) / self.pixel_std
        return features_by_stride(self.body, normalized)


class CoarserLevels(ExtraFPNBlock):  # type: ignore[misc]
    """Levels beyond the backbone's coarsest, each a strided convolution of the one before."""

    def __init__(self, channels: int, strides_px: Sequence[int]) -> None:
        super().__init__()
        self.strides_px = tuple(strides_px)
        for stride in strides_px:
            convolution = nn.Conv2d(channels, channels, 3, stride=2, padding=1)
            self.add_module(NAMES_OF_EXTRA_LEVELS[stride], convolution)

    def forward(self, results: list[Tensor], x: list[Tensor], names: list[str]) -> tuple[list[Tensor], list[str]]:
        """results: the levels, finest first; names: their strides."""
        for stride in self.strides_px:
            convolution = self.get_submodule(NAMES_OF_EXTRA_LEVELS[stride])
            before = results[-1] if stride == 2 * COARSEST_STRIDE else functional.relu(results[-1])
            results, names = [*results, convolution(before)], [*names, str(stride)]
        return results, names


class PooledLevels(ExtraFPNBlock):  # type: ignore[misc]
    """Levels beyond the backbone's coarsest, each every other row and column of the one before."""

    def __init__(self, channels: int, strides_px: Sequence[int]) -> None:
        super().__init__()
        self.strides_px = tuple(strides_px)

    def forward(self, results: list[Tensor], x: list[Tensor], names: list[str]) -> tuple[list[Tensor], list[str]]:
        for stride in self.strides_px:
            pooled = functional.max_pool2d(results[-1], kernel_size=1, stride=2)
            results, names = [*results, pooled], [*names, str(stride)]
        return results, names


EXTRA_BLOCKS = {"convolved": CoarserLevels, "pooled": PooledLevels}


def body_strides(config: DetectorConfig, channels: dict[int, int]) -> list[int]:
    """The backbone's strides that the pyramid reads, up to the coarsest, from which all others are made."""
    finest = min(*config.strides_px, COARSEST_STRIDE)
    wanted = [2**exponent for exponent in range(int(math.log2(finest)), int(math.log2(COARSEST_STRIDE)) + 1)]
    missing = [stride for stride in wanted if stride not in channels]
    if missing:
        raise CasslError(
            "CONFIG_INVALID",
            f"The backbone `{config.backbone}` has no features at stride {missing[0]} px, only at {list(channels)}.",
            "Choose other `strides_px`, or a backbone with stages at strides 8, 16 and 32.",
        )
    return wanted


def grid_sizes(input_size: Size, strides_px: Sequence[int]) -> list[tuple[int, int]]:
    """(rows, columns) of each pyramid level."""
    width, height = input_size
    return [(math.ceil(height / stride), math.ceil(width / stride)) for stride in strides_px]


def fixed_anchors(generator: AnchorGenerator, input_size: Size, strides_px: Sequence[int]) -> list[Tensor]:
    """(L, 4) float32 xyxy, input px, for each level: what torchvision makes anew for every batch."""
    strides = [[torch.tensor(stride)] * 2 for stride in strides_px]
    anchors: list[Tensor] = generator.grid_anchors(grid_sizes(input_size, strides_px), strides)
    return anchors
