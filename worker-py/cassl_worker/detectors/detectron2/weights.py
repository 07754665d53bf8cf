"""Weights for models that configurations of detectron2 describe: files of its model zoo."""

import os
from pathlib import Path
from typing import Any

import torch

from cassl_worker.detectors.imagenet import FOLDER_VARIABLE
from cassl_worker.detectron2_names import caffe2_name, with_prefix
from cassl_worker.errors import CasslError
from cassl_worker.foreign_weights import LEAST_SHARE, read_state


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
