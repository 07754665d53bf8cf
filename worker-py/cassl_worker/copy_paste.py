"""Objects of one training image in front of another: Simple Copy-Paste (arXiv 2012.07177, section 3), without blending,
which its authors found to make no difference."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cassl_worker.augmentation import MIN_VISIBLE_SHARE
from cassl_worker.detectors.interface import Target
from cassl_worker.images import Pixels

PASTED_SHARE = 0.5
"""Probability of each object to be pasted."""


def paste_objects(
    pixels: Pixels, target: Target, source_pixels: Pixels, source: Target, rng: np.random.Generator
) -> tuple[Pixels, Target]:
    """The image with some objects of the source in front of it, at the places that they have there.

    Both images are inputs, (H, W, 3), and both targets have masks. An object that is partly hidden then has the mask
    and the box of what is left to see; one of which less than MIN_VISIBLE_SHARE is left is no object any more.
    """
    assert target.masks is not None and source.masks is not None
    chosen = torch.from_numpy(rng.random(len(source.labels)) < PASTED_SHARE)
    pasted = source.masks[chosen]
    covered = pasted.any(dim=0)
    left = target.masks & ~covered
    boxes, visible = visible_parts(target, left)
    joined = Target(
        torch.cat([boxes[visible], source.boxes[chosen]]),
        torch.cat([target.labels[visible], source.labels[chosen]]),
        torch.cat([left[visible], pasted]),
    )
    return np.where(covered.numpy()[..., None], source_pixels, pixels), joined


def visible_parts(target: Target, left: Tensor) -> tuple[Tensor, Tensor]:
    """Boxes (M, 4) of the objects by what is left of their masks (M, H, W), and which of them are still objects (M,).

    An object that nothing hides keeps its box, which may be larger than its mask.
    """
    assert target.masks is not None
    before, after = target.masks.sum(dim=(1, 2)), left.sum(dim=(1, 2))
    boxes = target.boxes.clone()
    for at in torch.where((after < before) & (after > 0))[0]:
        boxes[at] = torch.from_numpy(box_of_mask(left[at].numpy()))
    return boxes, after >= MIN_VISIBLE_SHARE * before


def box_of_mask(mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """xyxy, px, around the pixels of a mask (H, W) that has some."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1], dtype=np.float32)
