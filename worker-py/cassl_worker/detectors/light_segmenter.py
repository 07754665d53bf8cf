"""The family `light_segmenter`: `light` with masks as mixtures of prototypes (YOLACT, Bolya et al., ICCV 2019, arXiv
1904.02689), which two CPU cores can train.

Masks do not depend on the classes, so that a warm-up without classes hands them over whole.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from cassl.v1.task_pb2 import DetectorConfig

from cassl_worker.detectors.backbone import COARSEST_STRIDE
from cassl_worker.detectors.fcos import CountingHead
from cassl_worker.detectors.interface import HeadPrefixes, MaskForm
from cassl_worker.detectors.light import LightDetector
from cassl_worker.errors import CasslError

PROTOTYPES = 16
PROTOTYPE_STRIDE_PX = 4
MASKS_PER_IMAGE = 64
"""Locations of an image that learn masks; more would learn the same."""
MASK_LOSS_WEIGHT = 2.0


class PrototypeHead(nn.Module):
    """Prototypes from the finest level of the pyramid, and for every location of every level how to mix them.

    Beside its features a prototype sees where it is (CoordConv, arXiv 1807.03247), to tell like objects apart.
    """

    def __init__(self, config: DetectorConfig, group_channels: int) -> None:
        """CONFIG_INVALID if the finest level is so coarse that it may reach beyond the input."""
        super().__init__()
        finest = min(config.strides_px)
        if finest > COARSEST_STRIDE:
            raise CasslError(
                "CONFIG_INVALID",
                f"`strides_px` starts with {finest}, which is too coarse for masks.",
                f"Choose a finest level of at most {COARSEST_STRIDE}, such as 8.",
            )
        channels, groups = config.fpn_channels, config.fpn_channels // group_channels
        self.enlargement = finest / PROTOTYPE_STRIDE_PX
        mix = nn.Conv2d(channels, PROTOTYPES, 3, padding=1)
        self.embedding = nn.Sequential(*block(channels, channels, groups), mix)
        self.context = nn.Sequential(*block(channels + 2, channels, groups), *block(channels, channels, groups))
        self.prototypes = nn.Sequential(*block(channels, channels, groups), nn.Conv2d(channels, PROTOTYPES, 1))

    def forward(self, levels: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """levels: (N, channels, rows, columns), finest first.

        Returns embeddings (N, L, C), all levels, row by row; prototypes (N, C, H / 4, W / 4).
        """
        embeddings = [torch.tanh(self.embedding(level)).flatten(2).transpose(1, 2) for level in levels]
        context = self.context(torch.cat([levels[0], coordinate_planes(levels[0])], dim=1))
        enlarged = functional.interpolate(context, scale_factor=self.enlargement, mode="bilinear")
        return torch.cat(embeddings, dim=1), self.prototypes(enlarged)


class MaskedHead(CountingHead):
    """torchvision's head and loss, with masks."""

    mask_head: PrototypeHead

    def forward(self, levels: list[Tensor]) -> dict[str, Tensor]:
        embeddings, prototypes = self.mask_head(levels)
        return {**super().forward(levels), "mask_embeddings": embeddings, "prototypes": prototypes}

    def compute_loss(
        self,
        targets: list[dict[str, Tensor]],
        head_outputs: dict[str, Tensor],
        anchors: list[Tensor],
        matched_idxs: list[Tensor],
    ) -> dict[str, Tensor]:
        losses = super().compute_loss(targets, head_outputs, anchors, matched_idxs)
        images = zip(head_outputs["mask_embeddings"], head_outputs["prototypes"], targets, matched_idxs, strict=True)
        by_location = torch.cat([mask_losses(*image) for image in images])
        self.divisors["mask"] = len(by_location)
        return {**losses, "mask": MASK_LOSS_WEIGHT * by_location.sum() / max(1, len(by_location))}


class LightSegmenter(LightDetector):
    """Class logits, centerness, a box and a mask at every location of the pyramid."""

    HEAD: ClassVar[type[CountingHead]] = MaskedHead
    MASK_FORM: ClassVar[MaskForm | None] = "prototypes"
    HEAD_PREFIXES: ClassVar[HeadPrefixes] = {
        **LightDetector.HEAD_PREFIXES,
        "mask_head": ("model.head.mask_head.",),
    }

    def __init__(self, config: DetectorConfig, class_count: int) -> None:
        super().__init__(config, class_count)
        self.model.head.mask_head = PrototypeHead(config, self.GROUP_CHANNELS)
        self.eval().to(memory_format=torch.channels_last)

    def dense(self, images: Tensor) -> tuple[Tensor, ...]:
        outputs: Mapping[str, Tensor] = self.head_outputs(images)
        return *self.candidates(outputs), outputs["mask_embeddings"], outputs["prototypes"]


def block(inputs: int, outputs: int, groups: int) -> list[nn.Module]:
    return [nn.Conv2d(inputs, outputs, 3, padding=1), nn.GroupNorm(groups, outputs), nn.ReLU()]


def coordinate_planes(level: Tensor) -> Tensor:
    """(N, 2, rows, columns): x and y of each cell of a level, from -1 to 1."""
    rows, columns = level.shape[2:]
    y, x = torch.meshgrid(torch.linspace(-1, 1, rows), torch.linspace(-1, 1, columns), indexing="ij")
    return torch.stack([x, y]).to(level).expand(level.shape[0], -1, -1, -1)


def mask_losses(embeddings: Tensor, prototypes: Tensor, target: Mapping[str, Tensor], matches: Tensor) -> Tensor:
    """Of the locations of an image that learn an object, drawn at random where they are many (equation 2 of YOLACT).

    Args:
        embeddings: (L, C). prototypes: (C, rows, columns).
        target: `boxes` (M, 4) xyxy and `masks` (M, H, W), input px.
        matches: (L,) the object that a location learns; below 0 there is none.

    Returns:
        (P,): cross-entropy of the mask, mean over the cells of the object's box. What is learned of a cell is the
        share of its pixels that are inside.
    """
    grids = functional.avg_pool2d(target["masks"][:, None].float(), PROTOTYPE_STRIDE_PX)[:, 0]
    has_mask = torch.cat([grids.flatten(1).any(dim=1), matches.new_zeros(1, dtype=torch.bool)])
    # Without an object, -1 finds the last entry.
    places = torch.where(has_mask[matches.clamp(min=-1)])[0]
    places = places[torch.randperm(len(places))[:MASKS_PER_IMAGE].to(places.device)]
    objects = matches[places]
    logits = torch.einsum("pc,chw->phw", embeddings[places], prototypes)
    inside = cells_of(target["boxes"][objects], grids.shape[1], grids.shape[2])
    losses = functional.binary_cross_entropy_with_logits(logits, grids[objects], reduction="none") * inside
    return losses.sum(dim=(1, 2)) / inside.sum(dim=(1, 2))


def cells_of(boxes: Tensor, rows: int, columns: int) -> Tensor:
    """(P, rows, columns) float32: 1 where a prototype's cell overlaps a box (P, 4), xyxy in input px."""
    left, top, right, bottom = (boxes / PROTOTYPE_STRIDE_PX).unbind(dim=1)
    x, y = torch.arange(columns, device=boxes.device), torch.arange(rows, device=boxes.device)
    in_columns = (x + 1 > left[:, None]) & (x < right[:, None])
    in_rows = (y + 1 > top[:, None]) & (y < bottom[:, None])
    return (in_rows[:, :, None] & in_columns[:, None, :]).float()
