"""Features of image regions from a pyramid, without shapes that depend on the data, so that it exports to ONNX.

torchvision's MultiScaleRoIAlign gives the same numbers and sorts the regions by level, which training is faster with.
"""

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

import torch
from torch import Tensor
from torchvision.ops import roi_align

from cassl_worker.detectors.backbone import COARSEST_STRIDE
from cassl_worker.errors import CasslError

CANONICAL_SIDE_PX, CANONICAL_LEVEL = 224, 4
"""A region of this side belongs to the level of stride 2 ** 4 (equation 1 of arXiv 1612.03144)."""


def region_levels(strides_px: Sequence[int]) -> list[str]:
    """Names of the levels that regions are read from: those which the backbone has features for."""
    strides = [stride for stride in strides_px if stride <= COARSEST_STRIDE]
    if not strides or any(coarser != 2 * finer for finer, coarser in pairwise(strides)):
        raise CasslError(
            "CONFIG_INVALID",
            f"`strides_px` is {list(strides_px)}, but two-stage families need levels each twice as coarse as the last.",
            "Choose, for example, [8, 16, 32].",
        )
    return [str(stride) for stride in strides]


def align_regions(
    features: Mapping[str, Tensor], boxes: Tensor, side: int, samples: int, *, half_pixel: bool = False
) -> Tensor:
    """Every region from every level, then the level of its size; regions are few and small.

    Args:
        features: (N, C, H / stride, W / stride) by stride in px.
        boxes: (N, P, 4) xyxy, input px.
        side: bins along a side of a region. samples: along a side of a bin; 0: as many as it has locations.
        half_pixel: whether the first location of a level is half a stride from its border, not on it.

    Returns:
        (N * P, C, side, side).
    """
    names = region_levels([int(name) for name in features])
    rois = with_image_number(boxes)
    levels = level_of(boxes.reshape(-1, 4), len(names), int(names[0]))
    aligned = [
        roi_align(features[name], rois, side, 1 / int(name), samples, half_pixel)
        * (levels == place)[:, None, None, None]
        for place, name in enumerate(names)
    ]
    return torch.stack(aligned).sum(dim=0)


def level_of(boxes: Tensor, level_count: int, finest_stride: int) -> Tensor:
    """(R,) float32, 0 the finest level. boxes: (R, 4) xyxy."""
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    level = torch.floor(CANONICAL_LEVEL + torch.log2(torch.sqrt(area) / CANONICAL_SIDE_PX) + 1e-6)
    return (level - int(math.log2(finest_stride))).clamp(0, level_count - 1)


def with_image_number(boxes: Tensor) -> Tensor:
    """(N, P, 4) to (N * P, 5), the number of the image first."""
    numbers = torch.arange(boxes.shape[0], device=boxes.device, dtype=boxes.dtype)
    return torch.cat([numbers[:, None, None].expand(*boxes.shape[:2], 1), boxes], dim=-1).reshape(-1, 5)
