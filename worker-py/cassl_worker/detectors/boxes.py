"""Arithmetic on batches of boxes, in operations that export to ONNX."""

import torch
from torch import Tensor
from torchvision.models.detection._utils import BoxCoder

SUPPRESSION_ROUNDS = 16
"""After n rounds, chains of n boxes that suppress one another are resolved as greedy suppression does. Longer ones are
rare among proposals."""


def decode_deltas(coder: BoxCoder, deltas: Tensor, anchors: Tensor) -> Tensor:
    """deltas: (N, L, 4). anchors: (L, 4) or (N, L, 4) xyxy. Returns boxes (N, L, 4) xyxy."""
    batched = anchors.expand(deltas.shape)
    boxes: Tensor = coder.decode_single(deltas.reshape(-1, 4), batched.reshape(-1, 4))
    return boxes.reshape(deltas.shape)


def clip(boxes: Tensor, size: tuple[int, int]) -> Tensor:
    """boxes: (..., 4) xyxy. size: width, height in px."""
    width, height = size
    x, y = boxes[..., 0::2].clamp(0, width), boxes[..., 1::2].clamp(0, height)
    return torch.stack([x[..., 0], y[..., 0], x[..., 1], y[..., 1]], dim=-1)


def suppress(boxes: Tensor, iou_threshold: float) -> Tensor:
    """Non-maximum suppression without shapes that depend on the data (Cluster-NMS, Zheng et al., arXiv 2005.03572).

    Args:
        boxes: (N, L, 4) xyxy, best first.

    Returns:
        (N, L) bool, which are kept.
    """
    area = (boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])
    top_left = torch.maximum(boxes[:, :, None, :2], boxes[:, None, :, :2])
    bottom_right = torch.minimum(boxes[:, :, None, 2:], boxes[:, None, :, 2:])
    sides = (bottom_right - top_left).clamp(min=0)
    shared = sides[..., 0] * sides[..., 1]
    # Compared without a division, since boxes may have no area.
    overlaps = shared > iou_threshold * (area[:, :, None] + area[:, None, :] - shared)
    worse = torch.ones(boxes.shape[1], boxes.shape[1], device=boxes.device).tril(-1)
    suppressors = overlaps.float() * worse
    kept = torch.ones_like(area)
    for _ in range(SUPPRESSION_ROUNDS):
        kept = (torch.matmul(suppressors, kept[..., None])[..., 0] == 0).float()
    return kept > 0


def strongest(boxes: Tensor, scores: Tensor, count: int, iou_threshold: float) -> tuple[Tensor, Tensor]:
    """At most `count` boxes, best first; the score is 0 of those that better ones suppress.

    Args:
        boxes: (N, L, 4) xyxy. scores: (N, L).
    """
    best, order = scores.topk(min(count, scores.shape[1]))
    chosen = take(boxes, order)
    return chosen, best * suppress(chosen, iou_threshold).float()


def take(rows: Tensor, order: Tensor) -> Tensor:
    """rows: (N, L, C). order: (N, M) indices below L. Returns (N, M, C)."""
    return rows.gather(1, order[..., None].expand(*order.shape, rows.shape[-1]))
