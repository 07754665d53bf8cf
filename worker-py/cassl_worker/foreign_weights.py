"""Weights that other libraries trained, as the start of a training: of torchvision, detectron2 and timm, and of ResNets
of Caffe2. Nothing that is read here can run code.

How they are recognized, by the names of their tensors:

    backbone.body.*                      a detector of torchvision
    backbone.bottom_up.*, stem.conv1.*   a detector or ResNet of detectron2 (detectron2_names.py)
    res2_0_branch2a_w                    a ResNet of Caffe2
    the names of the backbone itself     a backbone of timm or torchvision
"""

import pickle
import re
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import load_file
from torch import Tensor

from cassl.v1.task_pb2 import DetectorConfig

from cassl_worker.checkpoint import METADATA_KEY, Weights, read_weights, state_of
from cassl_worker.detectors.backbone import CAFFE_TAG
from cassl_worker.detectors.interface import Detector
from cassl_worker.detectron2_names import (
    RETINANET_RATIOS,
    RETINANET_SIZES,
    Renamed,
    from_caffe2,
    from_detectron2,
    is_caffe2,
    is_detectron2,
)
from cassl_worker.errors import CasslError

PREFIX = "model."
"""Of cassl's names; what follows is torchvision's."""
BODY = "backbone.body."
LEAST_SHARE = 0.5
"""Of the tensors of a file, that must fit: otherwise it is the wrong file."""
TORCH_MAGIC = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
"""Begins torch files that are no zip archives."""
STATE_KEYS = ("model", "state_dict", "model_state")
HEADS_OF_DETECTRON2 = ("proposal_generator.", "head.cls_subnet.")
NORMALIZED_TOWERS = {"head.regression_head.conv.0.1.weight", "head.regression_head.conv.1.weight"}
"""Of RetinaNet and of FCOS."""
FAMILY_MARKS = {
    "roi_heads.mask_predictor.conv5_mask.weight": "mask_rcnn",
    "roi_heads.box_predictor.cls_score.weight": "faster_rcnn",
    "head.regression_head.bbox_ctrness.weight": "fcos",
    "head.regression_head.bbox_reg.weight": "retinanet",
}
CLASS_PREDICTORS = ("roi_heads.box_predictor.cls_score.weight", "head.classification_head.cls_logits.weight")
ROWS_OF_A_CLASS = {"roi_heads.box_predictor.bbox_pred.": 4, "roi_heads.mask_predictor.mask_fcn_logits.": 1}
OLDER_NAMES = (
    (r"(backbone\.fpn\.(?:inner|layer)_blocks\.\d+)\.(weight|bias)", r"\1.0.\2"),
    (r"rpn\.head\.conv\.(weight|bias)", r"rpn.head.conv.0.0.\1"),
    *((rf"roi_heads\.mask_head\.mask_fcn{n + 1}\.(\w+)", rf"roi_heads.mask_head.{n}.0.\1") for n in range(4)),
)
"""torchvision's before 0.13, which its published files have."""


def starting_weights(path: Path, detector: Detector, config: DetectorConfig) -> Weights:
    """Weights of cassl, or of another library for this detector; WEIGHTS_MISMATCH if they are neither."""
    if is_of_cassl(path):
        return read_weights(path)
    state = read_state(path)
    named = under_our_names(state, detector, caffe=config.backbone.endswith(CAFFE_TAG))
    return fitted(path.name, state, named, detector)


def is_of_cassl(path: Path) -> bool:
    try:
        with safe_open(path, framework="pt") as file:
            return METADATA_KEY in (file.metadata() or {})
    except Exception:  # It is no safetensors file, then.
        return False


def read_state(path: Path) -> dict[str, Tensor]:
    """The floating-point tensors of a file of safetensors, of torch, or of pickled numpy arrays."""
    try:
        given = read_file(path)
        for key in STATE_KEYS:
            given = given.get(key, given) if isinstance(given, Mapping) else given
        state = {str(name): to_tensor(value) for name, value in given.items() if isinstance(value, Tensor | np.ndarray)}
        if not state:
            raise ValueError("it has no tensors")
        for name, tensor in state.items():
            if not tensor.isfinite().all():
                raise ValueError(f"`{name}` has values that are not finite numbers")
        return {name: tensor.float() for name, tensor in state.items() if tensor.is_floating_point()}
    except Exception as error:  # Damaged files raise all kinds, from pickle to zip errors.
        raise CasslError(
            "WEIGHTS_MISMATCH",
            f"{path.name} is not a file of weights: {(str(error) or type(error).__name__).splitlines()[0]}.",
            "Give a state dict of torchvision, timm or detectron2 (.pth, .pkl, .safetensors), or weights of cassl.",
        ) from error


def read_file(path: Path) -> Any:
    with path.open("rb") as file:
        start = file.read(len(TORCH_MAGIC))
        file.seek(0)
        if start[:2] == b"PK" or start == TORCH_MAGIC:
            return torch.load(path, map_location="cpu", weights_only=True)
        if start[:1] == b"\x80":
            return ArrayUnpickler(file, encoding="latin1").load()
    return load_file(path)


class ArrayUnpickler(pickle.Unpickler):
    """Knows numpy arrays of numbers and plain containers, and nothing that could run code."""

    def find_class(self, module: str, name: str) -> Any:
        known = ALLOWED.get((module.replace("numpy._core", "numpy.core"), name))
        if known is None:
            raise pickle.UnpicklingError(f"it holds a {module}.{name}, which is no array of numbers")
        return known


def encode_latin1(text: str, encoding: str) -> bytes:
    """How Python 2 pickled bytes."""
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"it holds text in {encoding}")
    return text.encode("latin1")


ALLOWED: Mapping[tuple[str, str], Any] = {
    ("numpy.core.multiarray", "_reconstruct"): np.zeros(0).__reduce__()[0],
    ("numpy.core.multiarray", "scalar"): np.float32(0).__reduce__()[0],
    ("numpy.core.numeric", "_frombuffer"): np.zeros(1).__reduce_ex__(5)[0],
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    ("collections", "OrderedDict"): OrderedDict,
    ("_codecs", "encode"): encode_latin1,
}


def to_tensor(value: Tensor | np.ndarray[Any, Any]) -> Tensor:
    return value if isinstance(value, Tensor) else torch.from_numpy(np.ascontiguousarray(value))


def under_our_names(state: Mapping[str, Tensor], detector: Detector, *, caffe: bool) -> dict[str, Renamed]:
    """By name in the detector's state, prefix included; names that it does not have may be among them."""
    if any(is_detectron2(name) for name in state):
        named = from_detectron2(state, caffe=caffe)
        if any(PREFIX + name in detector.state_dict() for name in state if name.startswith(HEADS_OF_DETECTRON2)):
            named |= as_it_is(state)
    elif any(is_caffe2(name) for name in state):
        named = from_caffe2(state)
    elif any(name.startswith(BODY) for name in state):
        named = of_torchvision(state)
    else:
        named = of_backbone(state, detector)
    return {PREFIX + name: item for name, item in named.items()}


def as_it_is(state: Mapping[str, Tensor]) -> dict[str, Renamed]:
    return {name: Renamed(name, tensor) for name, tensor in state.items()}


def of_torchvision(state: Mapping[str, Tensor]) -> dict[str, Renamed]:
    """A RetinaNet whose towers have no normalization has other towers than cassl's: its heads are left out."""
    named = {up_to_date(name): Renamed(name, tensor) for name, tensor in state.items()}
    if not named.keys() & NORMALIZED_TOWERS:
        return {name: item for name, item in named.items() if not name.startswith("head.")}
    return named


def up_to_date(name: str) -> str:
    for pattern, new in OLDER_NAMES:
        name = re.sub(f"^{pattern}$", new, name)
    return name


def of_backbone(state: Mapping[str, Tensor], detector: Detector) -> dict[str, Renamed]:
    """timm calls `stages.0` what the backbone of a detector calls `stages_0`."""
    ours = {spelled(name): name.removeprefix(PREFIX) for name in state_of(detector)}
    named = ((ours.get(spelled(PREFIX + BODY + name)), name, tensor) for name, tensor in state.items())
    return {new: Renamed(name, tensor) for new, name, tensor in named if new is not None}


def spelled(name: str) -> str:
    return name.replace("_", ".")


def fitted(file: str, state: Mapping[str, Tensor], named: Mapping[str, Renamed], detector: Detector) -> Weights:
    """What fits the detector, with the reasons of what does not. WEIGHTS_MISMATCH if that is most of the file."""
    class_count, predictor = class_count_of(named), detector.names_in("class_predictor")
    tensors, absent = dict[str, Tensor](), dict[str, str]()
    for name, ours in state_of(detector).items():
        if name not in named:
            absent[name] = f"{file} has no tensor for it"
            continue
        tensor = agnostic(name, named[name].tensor, class_count)
        if tensor.shape != ours.shape and name not in predictor:
            absent[name] = f"it is {list(tensor.shape)} in {file}"
        else:
            tensors[name] = tensor
    used = {named[name].source for name in tensors}
    if len(used) < LEAST_SHARE * len(state):
        raise CasslError(
            "WEIGHTS_MISMATCH",
            f"Only {len(used)} of the {len(state)} tensors of {file} fit the detector.",
            "Set `detector.backbone` and `detector.family` to those of the weights, or give other weights.",
        )
    unused = {name: tuple(tensor.shape) for name, tensor in state.items() if name not in used}
    return Weights(family_of(named), class_count, tensors, absent, unused, detector.resnet_form)


def family_of(named: Mapping[str, Renamed]) -> str:
    found = (family for name, family in FAMILY_MARKS.items() if PREFIX + name in named)
    return next(found, "backbone")


def class_count_of(named: Mapping[str, Renamed]) -> int:
    """0 where there is no class predictor."""
    two_stage, one_stage = (named.get(PREFIX + name) for name in CLASS_PREDICTORS)
    if two_stage is not None:
        return len(two_stage.tensor) - 1
    if one_stage is None:
        return 0
    return len(one_stage.tensor) // (RETINANET_SIZES * RETINANET_RATIOS if family_of(named) == "retinanet" else 1)


def agnostic(name: str, tensor: Tensor, class_count: int) -> Tensor:
    """Boxes and masks of each class to those of any class: the mean over the classes, without background."""
    rows = next((rows for prefix, rows in ROWS_OF_A_CLASS.items() if name.startswith(PREFIX + prefix)), 0)
    if rows == 0 or class_count == 0 or len(tensor) < rows * class_count:
        return tensor
    return tensor[-rows * class_count :].reshape(class_count, rows, *tensor.shape[1:]).mean(dim=0)
