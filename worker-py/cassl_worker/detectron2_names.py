"""Weights of detectron2 under the names and in the layouts that torchvision, and so cassl's detectors, have.

    from_detectron2(state, caffe=True)

takes the state of a ResNet-FPN model of detectron2 (RetinaNet, FCOS, Faster or Mask R-CNN), of a ResNet of it alone, or
`from_caffe2` of one of Caffe2. What differs beside names:

- The logit of background is the last one there and the first one here.
- The 9 anchors of a RetinaNet are ordered by size there and by aspect ratio here.
- With `caffe`, images went in as blue, green, red, less their mean but not divided by their standard deviation: both
  are folded into the first convolution, so that it gives the same for our normalized red, green, blue. Such models
  also have the strides of a bottleneck in its 1 x 1 convolution: cassl's backbone for them is `resnet50.caffe`.
- Batch normalization without statistics (ResNets of Caffe2) gets those that change nothing.

A RetinaNet whose towers have no normalization, as the published ones, has other towers than cassl's: its heads are
left out.

What stays different: the anchors of detectron2's two-stage models and RetinaNet are not rounded to whole px, regions
are read half a px away (`aligned`), and locations of its FCOS are the centers of cells, not their corners.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

PIXEL_STD_RGB = (58.395, 57.12, 57.375)
"""In 0..255; what cassl's ResNets divide pixels by. The means are those that Caffe models have too."""
NORMALIZATION_EPSILON = 1e-5
STEM = "backbone.body.conv1.weight"
RETINANET_SIZES, RETINANET_RATIOS = 3, 3
RETINANET_PREDICTORS = ("head.classification_head.cls_logits.", "head.regression_head.bbox_reg.")


@dataclass(frozen=True)
class Renamed:
    """source: the name that the tensor had."""

    source: str
    tensor: Tensor


BOTTOM_UP = (
    (r"backbone\.bottom_up\.stem\.conv1\.norm\.(\w+)", r"backbone.body.bn1.\1"),
    (r"backbone\.bottom_up\.stem\.conv1\.(\w+)", r"backbone.body.conv1.\1"),
    (r"backbone\.bottom_up\.res(\d)\.(\d+)\.conv(\d)\.norm\.(\w+)", r"backbone.body.layer<\1-1>.\2.bn\3.\4"),
    (r"backbone\.bottom_up\.res(\d)\.(\d+)\.conv(\d)\.(\w+)", r"backbone.body.layer<\1-1>.\2.conv\3.\4"),
    (r"backbone\.bottom_up\.res(\d)\.(\d+)\.shortcut\.norm\.(\w+)", r"backbone.body.layer<\1-1>.\2.downsample.1.\3"),
    (r"backbone\.bottom_up\.res(\d)\.(\d+)\.shortcut\.(\w+)", r"backbone.body.layer<\1-1>.\2.downsample.0.\3"),
)
PYRAMID = (
    (r"backbone\.fpn_lateral(\d)\.(weight|bias)", r"backbone.fpn.inner_blocks.<\1-{finest}>.0.\2"),
    (r"backbone\.fpn_output(\d)\.(weight|bias)", r"backbone.fpn.layer_blocks.<\1-{finest}>.0.\2"),
    (r"backbone\.top_block\.(p6|p7)\.(\w+)", r"backbone.fpn.extra_blocks.\1.\2"),
)
TWO_STAGE = (
    (r"proposal_generator\.rpn_head\.conv\.(\w+)", r"rpn.head.conv.0.0.\1"),
    (r"proposal_generator\.rpn_head\.objectness_logits\.(\w+)", r"rpn.head.cls_logits.\1"),
    (r"proposal_generator\.rpn_head\.anchor_deltas\.(\w+)", r"rpn.head.bbox_pred.\1"),
    (r"roi_heads\.box_head\.fc([12])\.(\w+)", r"roi_heads.box_head.fc<\1+5>.\2"),
    (r"roi_heads\.box_predictor\.(cls_score|bbox_pred)\.(\w+)", r"roi_heads.box_predictor.\1.\2"),
    (r"roi_heads\.mask_head\.mask_fcn(\d)\.(\w+)", r"roi_heads.mask_head.<\1-1>.0.\2"),
    (r"roi_heads\.mask_head\.deconv\.(\w+)", r"roi_heads.mask_predictor.conv5_mask.\1"),
    (r"roi_heads\.mask_head\.predictor\.(\w+)", r"roi_heads.mask_predictor.mask_fcn_logits.\1"),
)
FCOS = (
    (r"head\.cls_subnet\.(\d+)\.(\w+)", r"head.classification_head.conv.\1.\2"),
    (r"head\.bbox_subnet\.(\d+)\.(\w+)", r"head.regression_head.conv.\1.\2"),
    (r"head\.cls_score\.(\w+)", r"head.classification_head.cls_logits.\1"),
    (r"head\.bbox_pred\.(\w+)", r"head.regression_head.bbox_reg.\1"),
    (r"head\.ctrness\.(\w+)", r"head.regression_head.bbox_ctrness.\1"),
)
RETINANET = (
    (r"head\.cls_subnet\.(\d+)\.(\w+)", r"head.classification_head.conv.<\1/3>.<\1%3>.\2"),
    (r"head\.bbox_subnet\.(\d+)\.(\w+)", r"head.regression_head.conv.<\1/3>.<\1%3>.\2"),
    *FCOS[2:],
)
"""Of towers with normalization, three layers to a convolution."""
CAFFE2_LAYERS = {"1": "shortcut", "2a": "conv1", "2b": "conv2", "2c": "conv3"}
CAFFE2_TENSORS = {"_w": "weight", "_bn_s": "norm.weight", "_bn_b": "norm.bias"}
ARITHMETIC: Mapping[str, Callable[[int, int], int]] = {
    "-": int.__sub__,
    "+": int.__add__,
    "/": int.__floordiv__,
    "%": int.__mod__,
}


def is_detectron2(name: str) -> bool:
    return name.startswith(("backbone.bottom_up.", "stem.conv1."))


def is_caffe2(name: str) -> bool:
    return name in ("conv1_w", "res2_0_branch2a_w")


def from_detectron2(state: Mapping[str, Tensor], *, caffe: bool) -> dict[str, Renamed]:
    """By torchvision's name. What torchvision has no place for is left out.

    caffe: whether the model has the input and the strides of Caffe's ResNets, as detectron2's configurations have
    where they say nothing else (`PIXEL_STD: [1, 1, 1]`, `STRIDE_IN_1X1: True`).
    """
    whole = with_prefix(state)
    rules = rules_for(frozenset(whole))
    named = {
        new: Renamed(old, tensor) for old, tensor in whole.items() if (new := renamed(old, rules)) is not None
    } | statistics(whole, rules)
    by_size = "head.ctrness.weight" not in whole
    return {
        name: Renamed(item.source, in_our_layout(name, item.tensor, caffe, by_size)) for name, item in named.items()
    }


def with_prefix(state: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    """A ResNet alone has the names that it has inside of a detector."""
    if any(name.startswith("backbone.") for name in state):
        return state
    return {f"backbone.bottom_up.{name}": tensor for name, tensor in state.items()}


def rules_for(names: frozenset[str]) -> tuple[tuple[str, str], ...]:
    levels = [int(match[1]) for name in names if (match := re.match(r"backbone\.fpn_lateral(\d)\.", name))]
    finest = str(min(levels, default=2))
    pyramid = tuple((pattern, new.replace("{finest}", finest)) for pattern, new in PYRAMID)
    if "head.ctrness.weight" in names:
        return (*BOTTOM_UP, *pyramid, *FCOS)
    head = RETINANET if "head.cls_subnet.1.weight" in names else ()
    return (*BOTTOM_UP, *pyramid, *TWO_STAGE, *head)


def renamed(name: str, rules: tuple[tuple[str, str], ...]) -> str | None:
    for pattern, new in rules:
        match = re.fullmatch(pattern, name)
        if match is not None:
            return re.sub(r"<(\d+)([-+/%])(\d+)>", computed, match.expand(new))
    return None


def computed(sum_of: re.Match[str]) -> str:
    return str(ARITHMETIC[sum_of[2]](int(sum_of[1]), int(sum_of[3])))


def statistics(state: Mapping[str, Tensor], rules: tuple[tuple[str, str], ...]) -> dict[str, Renamed]:
    """Those that change nothing, for batch normalization of a backbone that has none."""
    found = {}
    for name, weight in state.items():
        layer = name.removesuffix(".norm.weight")
        if layer == name or ".bottom_up." not in name or f"{layer}.norm.running_var" in state:
            continue
        neutral = {"running_mean": torch.zeros_like(weight)}
        neutral["running_var"] = torch.full_like(weight, 1 - NORMALIZATION_EPSILON)
        for tensor_name, tensor in neutral.items():
            new = renamed(f"{layer}.norm.{tensor_name}", rules)
            assert new is not None
            found[new] = Renamed(name, tensor)
    return found


def in_our_layout(name: str, tensor: Tensor, caffe: bool, anchors_by_size: bool) -> Tensor:
    if name == STEM and caffe:
        return tensor.flip(1) * tensor.new_tensor(PIXEL_STD_RGB)[:, None, None]
    if name.startswith("roi_heads.box_predictor.cls_score."):
        return tensor.roll(1, dims=0)
    if name.startswith(RETINANET_PREDICTORS) and anchors_by_size:
        by_size = tensor.reshape(RETINANET_SIZES, RETINANET_RATIOS, -1, *tensor.shape[1:])
        return by_size.transpose(0, 1).flatten(0, 2)
    return tensor


def from_caffe2(state: Mapping[str, Tensor]) -> dict[str, Renamed]:
    """A ResNet of Caffe2 for classification, such as MSRA's R-50.pkl; by torchvision's name."""
    sources = {new: old for old in state if (new := caffe2_name(old)) is not None}
    converted = from_detectron2({new: state[old] for new, old in sources.items()}, caffe=True)
    prefix = "backbone.bottom_up."
    return {name: Renamed(sources[item.source.removeprefix(prefix)], item.tensor) for name, item in converted.items()}


def caffe2_name(name: str) -> str | None:
    """detectron2's name; None for the classifier."""
    stem = {"conv1_w": "weight", "res_conv1_bn_s": "norm.weight", "res_conv1_bn_b": "norm.bias"}.get(name)
    if stem is not None:
        return f"stem.conv1.{stem}"
    match = re.fullmatch(r"res(\d)_(\d+)_branch(1|2a|2b|2c)(_w|_bn_s|_bn_b)", name)
    return match and f"res{match[1]}.{match[2]}.{CAFFE2_LAYERS[match[3]]}.{CAFFE2_TENSORS[match[4]]}"
