"""Backbones and pyramids that cassl and detectron2 call by other names, and that take images in another form: how the
weights of one give the same features in the other."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from cassl_worker.detectron2_names import PIXEL_STD_RGB, renamed, rules_for
from cassl_worker.errors import CasslError

PREFIX = "model."
COARSER_LEVELS = ("model.backbone.fpn.extra_blocks.", "model.backbone.top_block.")
"""Families make the levels beyond the backbone's coarsest in different ways, some without weights."""
MEAN_TOLERANCE = 0.01


@dataclass(frozen=True)
class ResNetForm:
    """What names and shapes do not say.

    Attributes:
        is_bgr: whether blue comes first.
        mean, std: of pixels in 0..255, a number a channel, as they come; an image is less its mean, over its std.
        strides_in_1x1: whether bottlenecks have their strides in the first convolution, as Caffe's, and not in the
            second, as torchvision's.
    """

    is_bgr: bool
    mean: tuple[float, ...]
    std: tuple[float, ...]
    strides_in_1x1: bool


IMAGENET = ResNetForm(is_bgr=False, mean=(123.675, 116.28, 103.53), std=PIXEL_STD_RGB, strides_in_1x1=False)
"""torchvision's, and that of cassl's ResNets unless they say otherwise."""


def form_of(backbone: nn.Module, pixel_mean: Tensor, pixel_std: Tensor, *, is_bgr: bool = False) -> ResNetForm:
    blocks = (module for module in backbone.modules() if hasattr(module, "conv3"))
    mean, std = (tuple(round(value, 3) for value in values.flatten().tolist()) for values in (pixel_mean, pixel_std))
    return ResNetForm(is_bgr, mean, std, any(block.conv1.stride != (1, 1) for block in blocks))


def read_form(described: Mapping[str, Any]) -> ResNetForm:
    """What a weight file says; TypeError or KeyError if that is no form."""
    mean, std = (tuple(map(float, described[name])) for name in ("mean", "std"))
    return ResNetForm(bool(described["is_bgr"]), mean, std, bool(described["strides_in_1x1"]))


def our_names(names: Iterable[str]) -> dict[str, str]:
    """Those of detectron2's backbones and pyramids, each with what cassl calls the same."""
    bare = [name.removeprefix(PREFIX) for name in names]
    rules = rules_for(frozenset(bare))
    ours = {f"{PREFIX}{name}": f"{PREFIX}{new}" for name in bare if (new := renamed(name, rules)) is not None}
    return {name: new for name, new in ours.items() if name.startswith(f"{PREFIX}backbone.")}


def under_names(
    given: Mapping[str, Tensor], names: Mapping[str, str], state: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """Given tensors under new names; a coarser level keeps its old one where the detector makes it in another way.

    state: of the detector that they are for.
    """

    def name_of(old: str, tensor: Tensor) -> str:
        new = names.get(old, old)
        is_ours = new in state and state[new].shape == tensor.shape
        return new if is_ours or not new.startswith(COARSER_LEVELS) else old

    return {name_of(old, tensor): tensor for old, tensor in given.items()}


def in_form(
    given: Mapping[str, Tensor], stem: str, source: ResNetForm | None, target: ResNetForm | None
) -> Mapping[str, Tensor]:
    """The same weights, with a first convolution, named `stem`, that gives the same of an image in another form.

    WEIGHTS_MISMATCH if the means, or the places of the strides, differ: no weights make up for that.
    """
    if source is None or target is None or source == target or stem not in given:
        return given
    if source.strides_in_1x1 != target.strides_in_1x1:
        ours, theirs = ("first" if form.strides_in_1x1 else "second" for form in (target, source))
        raise mismatch(
            f"the detector has the strides of a bottleneck in its {ours} convolution, the weights in {theirs}"
        )
    swapped = source.is_bgr != target.is_bgr
    mean, std, tensor = torch.tensor(source.mean), torch.tensor(source.std), given[stem]
    if swapped:
        mean, std, tensor = mean.flip(0), std.flip(0), tensor.flip(1)
    if not torch.allclose(mean, torch.tensor(target.mean), atol=MEAN_TOLERANCE):
        raise mismatch(f"the detector subtracts {list(target.mean)} from pixels, the weights' {mean.tolist()}")
    return {**given, stem: tensor * (torch.tensor(target.std) / std)[:, None, None]}


def mismatch(what: str) -> CasslError:
    return CasslError(
        "WEIGHTS_MISMATCH",
        f"The weights do not fit the detector: {what}.",
        "Set MODEL.RESNETS.STRIDE_IN_1X1=False and the pixel mean of ImageNet in `detector.detectron2.overrides`, or "
        "give a detector of cassl a `backbone` that ends in .caffe.",
    )
