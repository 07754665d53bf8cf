"""Backbones: any timm model that gives features at strides 4 to 32, or 8 to 32, in px."""

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import timm
import torch
from timm.models import PretrainedCfg
from timm.models.resnet import Bottleneck
from torch import Tensor, nn

from cassl_worker.detectors.imagenet import PACKAGED_BACKBONE, PACKAGED_PIXEL_MEAN, PACKAGED_PIXEL_STD, imagenet_weights
from cassl_worker.errors import CasslError
from cassl_worker.images import Size

COARSEST_STRIDE = 32
CAFFE_TAG = ".caffe"
"""Ends names of ResNets that have the strides of a bottleneck in its first convolution, as Caffe's and most of
detectron2's."""
STAGE_NAME = re.compile(r"(layers?|stages?|blocks|features)[._]?\d+")
"""Of the children of timm's feature extractors that are stages; what stands before the first is the stem."""
UNREAD_TENSORS = {"num_batches_tracked"}
"""Last names of tensors that weight files may lack: nothing reads them."""


def build_body(name: str, input_size: Size) -> nn.Module:
    """A timm feature extractor with random weights: (N, 3, H, W) to a list of features; CONFIG_INVALID if unknown."""
    if not timm.is_model(name.split(".")[0]):
        near = difflib.get_close_matches(name, timm.list_models(), n=3)
        raise CasslError(
            "CONFIG_INVALID",
            f"timm has no model `{name}` to be a backbone.",
            f"Choose one of: {', '.join(near or ['tf_efficientnet_lite0', 'resnet50'])}.",
        )
    try:
        options: dict[str, Any] = {"img_size": input_size[::-1]} if described(name).fixed_input_size else {}
        body: nn.Module = timm.create_model(name.removesuffix(CAFFE_TAG), features_only=True, **options)
        if name.endswith(CAFFE_TAG):
            move_strides(body)
    except (RuntimeError, AttributeError, AssertionError, TypeError, ValueError) as error:
        raise CasslError(
            "CONFIG_INVALID",
            f"The timm model `{name}` cannot be a backbone: {error}.",
            "Choose a model with stages, such as tf_efficientnet_lite0, resnet50 or convnext_tiny.",
        ) from error
    return body


def move_strides(body: nn.Module) -> None:
    """To the first convolution of each bottleneck. ValueError if the backbone has none."""
    bottlenecks = [module for module in body.modules() if isinstance(module, Bottleneck)]
    if not bottlenecks:
        raise ValueError("only ResNets of bottlenecks can have the strides of Caffe")
    for block in bottlenecks:
        block.conv1.stride, block.conv2.stride = block.conv2.stride, block.conv1.stride


def channels_by_stride(body: Any) -> dict[int, int]:
    return dict(zip(body.feature_info.reduction(), body.feature_info.channels(), strict=True))


def features_by_stride(body: Any, images: Tensor) -> dict[int, Tensor]:
    """images: (N, 3, H, W), normalized. Returns features (N, C, H / stride, W / stride) by stride in px."""
    features = body(images)
    if str(getattr(body, "output_fmt", "NCHW")).endswith("NHWC"):
        features = [feature.permute(0, 3, 1, 2) for feature in features]
    return dict(zip(body.feature_info.reduction(), features, strict=True))


def stages_of(body: nn.Module) -> Sequence[Sequence[nn.Module]]:
    """The stem, then the stages."""
    stages: list[list[nn.Module]] = [[]]
    for name, module in children_of(body):
        if STAGE_NAME.fullmatch(name):
            stages.append([])
        stages[-1].append(module)
    return stages


def children_of(body: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """timm keeps the stages of some backbones one level deeper."""
    for name, module in body.named_children():
        if name == "blocks":
            yield from ((f"blocks.{number}", block) for number, block in module.named_children())
        else:
            yield name, module


def pixel_statistics(name: str) -> tuple[Sequence[float], Sequence[float]]:
    """Mean and standard deviation of R, G, B in 0..255, as the ImageNet weights of the backbone expect them."""
    if name == PACKAGED_BACKBONE:
        return (PACKAGED_PIXEL_MEAN,) * 3, (PACKAGED_PIXEL_STD,) * 3
    config = described(name)
    return [255 * mean for mean in config.mean], [255 * std for std in config.std]


def described(name: str) -> PretrainedCfg:
    """What timm says of a model's weights; of some models it says nothing."""
    if name.endswith(CAFFE_TAG):
        return PretrainedCfg()
    return timm.get_pretrained_cfg(name) or PretrainedCfg()


def load_starting_weights(body: nn.Module, name: str, weights: str) -> None:
    """weights: `imagenet` or `none`."""
    if weights == "imagenet":
        copy_named(body, imagenet_weights(name), name)


@torch.no_grad()
def copy_named(body: nn.Module, given: Mapping[str, Tensor], name: str) -> None:
    """Fills the body; the classifier of the given weights is left over. timm flattens `stages.0` to `stages_0`."""
    by_name = {key.replace("_", "."): tensor for key, tensor in given.items()}
    for key, tensor in body.state_dict().items():
        source = by_name.get(key.replace("_", "."))
        if source is None and key.split(".")[-1] in UNREAD_TENSORS:
            continue
        if source is None or source.shape != tensor.shape:
            found = "missing" if source is None else f"{list(source.shape)} instead of {list(tensor.shape)}"
            raise CasslError(
                "WEIGHTS_MISMATCH",
                f"The ImageNet weights do not fit the backbone `{name}`: `{key}` is {found}.",
                "Give weights of this very model, or set `backbone_weights: none`.",
            )
        tensor.copy_(source)
