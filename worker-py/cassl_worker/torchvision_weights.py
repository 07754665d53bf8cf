"""Trained weights as torchvision's own detectors load them, with nothing of cassl installed.

python -m cassl_worker.torchvision_weights weights.safetensors detector.pth
"""

import argparse
import sys
from pathlib import Path

import torch
from torch import Tensor

from cassl_worker.checkpoint import Weights, mismatch, read_weights, replacing
from cassl_worker.errors import CasslError

PREFIX = "model."
"""Of every tensor's name; what follows is torchvision's name."""
FAMILIES = ("fcos", "retinanet", "faster_rcnn", "mask_rcnn")
"""Those that torchvision has. The anchors of `light` are others."""
RESNET_TENSOR = "model.backbone.body.layer1.0.conv1.weight"
AGNOSTIC_PREDICTORS = ("roi_heads.box_predictor.bbox_pred.", "roi_heads.mask_predictor.mask_fcn_logits.")


def to_torchvision(weights: Weights) -> dict[str, Tensor]:
    """The state dict of torchvision's detector with a ResNet, of the same family and size.

    WEIGHTS_MISMATCH if torchvision has no such detector.
    """
    if weights.family not in FAMILIES or RESNET_TENSOR not in weights.tensors:
        raise mismatch(
            f"torchvision has the families {', '.join(FAMILIES)}, each with a ResNet; these are of `{weights.family}`"
            + ("" if RESNET_TENSOR in weights.tensors else " and another backbone")
        )
    named = {name.removeprefix(PREFIX): tensor for name, tensor in weights.tensors.items()}
    return {name: for_each_class(name, tensor, weights.class_count) for name, tensor in named.items()}


def for_each_class(name: str, tensor: Tensor, class_count: int) -> Tensor:
    """torchvision has boxes and masks for each class and background; ours are the same for all."""
    if not name.startswith(AGNOSTIC_PREDICTORS):
        return tensor
    return tensor.repeat(class_count + 1, *[1] * (tensor.ndim - 1))


def main() -> None:
    parser = argparse.ArgumentParser(description="Writes trained weights as a state dict for torchvision's detectors.")
    parser.add_argument("weights", type=Path, help="safetensors file of a run")
    parser.add_argument("out", type=Path, help="file to write, for torch.load")
    arguments = parser.parse_args()
    try:
        state = to_torchvision(read_weights(arguments.weights))
        with replacing(arguments.out) as partial:
            torch.save(state, partial)
    except CasslError as error:
        sys.exit(f"error: {error.message} {error.remedy}")
    except OSError as error:
        sys.exit(f"error: {arguments.weights} cannot be read: {error}.")
    print(f"{len(state)} tensors: {arguments.out}")


if __name__ == "__main__":
    main()
