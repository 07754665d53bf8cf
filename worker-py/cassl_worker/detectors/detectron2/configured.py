"""Models that a configuration of detectron2 describes."""

from dataclasses import dataclass
from typing import Any

import torch
from detectron2.config import CfgNode, instantiate
from detectron2.modeling import build_model
from detectron2.modeling.meta_arch import GeneralizedRCNN, PanopticFPN
from detectron2.modeling.meta_arch.fcos import FCOS
from detectron2.modeling.meta_arch.retinanet import RetinaNet
from detectron2.modeling.proposal_generator import RPN
from detectron2.modeling.roi_heads import StandardROIHeads
from detectron2.modeling.roi_heads.mask_head import BaseMaskRCNNHead
from omegaconf import DictConfig, OmegaConf
from torch import nn

from cassl.v1.task_pb2 import DetectorConfig

from cassl_worker.detectors import gives_masks
from cassl_worker.detectors.detectron2.base import Detectron2Detector
from cassl_worker.detectors.detectron2.configuration import (
    YAML_SECTIONS,
    faults_of,
    invalid,
    is_bgr,
    read_configuration,
    refuse_unread,
)
from cassl_worker.detectors.detectron2.dense import DenseDetector
from cassl_worker.detectors.detectron2.regions import MaskedRegionDetector, RegionDetector, stages
from cassl_worker.detectors.detectron2.weights import load_backbone

CLASS_COUNTS = ("MODEL.ROI_HEADS.NUM_CLASSES", "MODEL.RETINANET.NUM_CLASSES")
PROBE_CLASSES = 7
"""Any number but one: what depends on it depends on the classes."""


@dataclass(frozen=True)
class Described:
    """A model as its configuration says, with random weights.

    Attributes:
        weights: the file of starting weights that the configuration names; only its last name counts.
    """

    model: Any
    is_bgr: bool
    weights: str


def build_configured(config: DetectorConfig, class_count: int) -> Detectron2Detector:
    """CONFIG_INVALID where there is no such configuration, or it is none of a detector that cassl can train;
    WORKER_INCOMPLETE where the model needs what is not installed."""
    name = config.detectron2.config
    with faults_of(name):
        configuration = read_configuration(config.detectron2)
        described = describe(name, configuration, class_count)
        refuse_unread(configuration, config.detectron2.overrides, YAML_SECTIONS[0])
        other = described.model
        if hasattr(other, "roi_heads"):
            with torch.random.fork_rng():
                other = describe(name, configuration, class_count + PROBE_CLASSES).model
    check_model(name, described.model, class_count)
    if config.backbone_weights == "imagenet":
        load_backbone(described.model, described.weights)
    return as_detector(config, described, other)


def describe(name: str, configuration: CfgNode | DictConfig, class_count: int) -> Described:
    """Changes the configuration."""
    if isinstance(configuration, CfgNode):
        configuration.merge_from_list([part for key in CLASS_COUNTS for part in (key, class_count)])
        configuration.MODEL.DEVICE = "cpu"
        model, weights = build_model(configuration), configuration.MODEL.WEIGHTS
    else:
        holder = configuration.model.roi_heads if "roi_heads" in configuration.model else configuration.model
        holder.num_classes = class_count
        model = instantiate(configuration.model)
        weights = OmegaConf.select(configuration, "train.init_checkpoint") or ""
    return Described(model, is_bgr(name, configuration), weights)


def check_model(name: str, model: Any, class_count: int) -> None:
    if (what := strange(model)) is not None:
        raise invalid(
            f"`{name}` has {what}, which cassl cannot train",
            "Choose RetinaNet, FCOS, or a Faster, Mask or Cascade R-CNN on a pyramid (FPN), with axis-aligned boxes.",
        )
    if (counts := class_counts(model)) != {class_count}:
        given = " and ".join(map(str, sorted(counts)))
        raise invalid(
            f"`{name}` has parts for {given} classes where the data have {class_count}",
            "Let all numbers of classes follow that of `model.roi_heads`, or of `model`.",
        )


def class_counts(model: Any) -> set[int]:
    """What the parts of a model take for the number of classes."""
    if not hasattr(model, "roi_heads"):
        (anchors,) = set(model.anchor_generator.num_anchors)
        return {model.num_classes, model.head.cls_score.out_channels // anchors}
    heads = model.roi_heads
    counts = {heads.num_classes, *(predictor.num_classes for _, predictor in stages(heads))}
    masks = getattr(heads.mask_head, "predictor", None) if heads.mask_on else None
    return counts if masks is None or masks.out_channels == 1 else {*counts, masks.out_channels}


def strange(model: Any) -> str | None:
    """A part that detectors of cassl do not have; None if there is none."""
    if not isinstance(model, RetinaNet | FCOS | GeneralizedRCNN) or isinstance(model, PanopticFPN):
        return f"the architecture {type(model).__name__}"
    if isinstance(model, GeneralizedRCNN) and (what := strange_regions(model)) is not None:
        return what
    return None if hasattr(model.backbone, "bottom_up") else f"a {type(model.backbone).__name__} without a pyramid"


def strange_regions(model: Any) -> str | None:
    first, heads = model.proposal_generator, model.roi_heads
    if type(first) is not RPN:
        return f"the proposal generator {type(first).__name__}"
    if not isinstance(heads, StandardROIHeads):
        return f"the heads {type(heads).__name__}"
    if heads.keypoint_on:
        return "a keypoint head"
    if heads.train_on_pred_boxes:
        return "masks that learn from predicted boxes (TRAIN_ON_PRED_BOXES)"
    if heads.mask_on and not (isinstance(heads.mask_head, BaseMaskRCNNHead) and heads.mask_pooler is not None):
        return f"the mask head {type(heads.mask_head).__name__}"
    return None


def as_detector(config: DetectorConfig, described: Described, other: nn.Module) -> Detectron2Detector:
    """other: the same model for more classes."""
    model = described.model
    has_masks = hasattr(model, "roi_heads") and model.roi_heads.mask_on
    if has_masks != gives_masks(config.family):
        raise invalid(
            f"`{config.detectron2.config}` {'gives masks' if has_masks else 'gives no masks'}",
            "Choose the family `detectron2_segmenter` for models with masks and `detectron2` for those without.",
        )
    if not hasattr(model, "roi_heads"):
        return DenseDetector(config, model, is_bgr=described.is_bgr)
    shapes = {name: tensor.shape for name, tensor in other.state_dict().items()}
    differing = [name for name, tensor in model.state_dict().items() if tensor.shape != shapes[name]]
    kind = MaskedRegionDetector if has_masks else RegionDetector
    return kind(
        config,
        model,
        is_bgr=described.is_bgr,
        has_class_boxes=any("bbox_pred" in name for name in differing),
        has_class_masks=any("mask_head" in name for name in differing),
    )
