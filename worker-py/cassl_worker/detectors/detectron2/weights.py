"""Weights for backbones of detectron2: files of its model zoo, and those of cassl's own ResNets."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from cassl_worker.detectors.imagenet import FOLDER_VARIABLE
from cassl_worker.detectron2_names import (
    PIXEL_STD_RGB,
    caffe2_name,
    renamed,
    rules_for,
    with_prefix,
)
from cassl_worker.errors import CasslError
from cassl_worker.foreign_weights import LEAST_SHARE, read_state

STEM = "backbone.bottom_up.stem.conv1.weight"
PREFIX = "model."
MEAN_TOLERANCE = 0.01


@torch.no_grad()
def load_backbone(model: Any, weights: str) -> None:
    """Takes from the file all that fits, heads too. WEIGHTS_MISMATCH if that is less than half of it."""
    file = find_weights(weights)
    given = with_prefix({caffe2_name(name) or name: tensor for name, tensor in read_state(file).items()})
    state = model.state_dict().items()
    fitting = {name: tensor for name, tensor in state if name in given and given[name].shape == tensor.shape}
    if len(fitting) < LEAST_SHARE * len(given):
        raise CasslError(
            "WEIGHTS_MISMATCH",
            f"Only {len(fitting)} of the {len(given)} tensors of {file.name} fit the model.",
            "Give the weights that the configuration was made for, or set `backbone_weights: none`.",
        )
    for name, tensor in fitting.items():
        tensor.copy_(given[name])


def find_weights(weights: str) -> Path:
    """weights: a path or an address; nothing is downloaded."""
    name, folder = weights.rpartition("/")[2], os.environ.get(FOLDER_VARIABLE, "")
    file = Path(folder, name)
    if name == "" or folder == "" or not file.is_file():
        raise CasslError(
            "WORKER_INCOMPLETE",
            f"The starting weights that the configuration names, `{weights}`, are not in the folder that "
            f"{FOLDER_VARIABLE} names ({folder or 'it names none'}).",
            f"Download them into it as {name or 'a file'}, or set `backbone_weights: none`.",
        )
    return file


def from_own_backbone(model: Any, is_bgr: bool, given: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The same weights with what one of cassl's ResNets and its pyramid have under detectron2's names.

    The first convolution is changed to the pixels that the model sees, so that features stay the same.
    WEIGHTS_MISMATCH if its pixels have another mean, or its strides are elsewhere.
    """
    names = frozenset(model.state_dict())
    rules = rules_for(names)
    ours = {name: f"{PREFIX}{new}" for name in names if (new := renamed(name, rules)) is not None}
    ours = {name: new for name, new in ours.items() if name.startswith("backbone.")}
    moved = {f"{PREFIX}{name}": given[new] for name, new in ours.items() if new in given}
    if not moved:
        return dict(given)
    if f"{PREFIX}{STEM}" in moved:
        check_strides(model)
        moved[f"{PREFIX}{STEM}"] = in_its_pixels(model, is_bgr, moved[f"{PREFIX}{STEM}"])
    return {name: tensor for name, tensor in given.items() if name not in ours.values()} | moved


def in_its_pixels(model: Any, is_bgr: bool, stem: Tensor) -> Tensor:
    """stem: (C, 3, H, W), for red, green and blue over the standard deviations of ImageNet."""
    std, mean = model.pixel_std.flatten().cpu(), model.pixel_mean.flatten().cpu()
    own = torch.tensor(PIXEL_STD_RGB)
    ours = torch.tensor([123.675, 116.28, 103.53])
    if is_bgr:
        stem, own, ours = stem.flip(1), own.flip(0), ours.flip(0)
    if not torch.allclose(mean, ours, atol=MEAN_TOLERANCE):
        raise mismatch(f"the model subtracts {mean.tolist()} from pixels, the weights' {ours.tolist()}")
    scaled: Tensor = stem * (std / own)[:, None, None]
    return scaled


def check_strides(model: Any) -> None:
    block = model.backbone.bottom_up.stages[1][0]
    if hasattr(block, "conv3") and block.conv1.stride != (1, 1):
        raise mismatch("the model has the strides of a bottleneck in its first convolution, the weights in its second")


def mismatch(what: str) -> CasslError:
    return CasslError(
        "WEIGHTS_MISMATCH",
        f"The weights do not fit the detector: {what}.",
        "Set MODEL.RESNETS.STRIDE_IN_1X1=False and the pixel mean of ImageNet in `detector.detectron2.overrides`.",
    )
