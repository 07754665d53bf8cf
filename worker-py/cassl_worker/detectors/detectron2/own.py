"""Models of cassl's own: detectron2's heads, targets and losses on cassl's backbones and pyramids.

Box and mask regression are the same for all classes, so that a warm-up without classes hands them over whole.
"""

from collections.abc import Callable

from detectron2.layers import ShapeSpec
from detectron2.modeling.anchor_generator import DefaultAnchorGenerator
from detectron2.modeling.box_regression import Box2BoxTransform
from detectron2.modeling.matcher import Matcher
from detectron2.modeling.meta_arch import GeneralizedRCNN
from detectron2.modeling.meta_arch.fcos import FCOS, FCOSHead
from detectron2.modeling.meta_arch.retinanet import RetinaNet, RetinaNetHead
from detectron2.modeling.poolers import ROIPooler
from detectron2.modeling.proposal_generator import RPN, StandardRPNHead
from detectron2.modeling.roi_heads import (
    CascadeROIHeads,
    FastRCNNConvFCHead,
    FastRCNNOutputLayers,
    MaskRCNNConvUpsampleHead,
    StandardROIHeads,
)
from torch import nn

from cassl.v1.task_pb2 import DetectorConfig

from cassl_worker.detectors.detectron2.base import Detectron2Detector
from cassl_worker.detectors.detectron2.dense import DenseDetector
from cassl_worker.detectors.detectron2.regions import MaskedRegionDetector, RegionDetector
from cassl_worker.detectors.faster_rcnn import (
    BOX_FEATURES_PER_CHANNEL,
    FINEST_ANCHOR_PX,
    ROI_SIDE,
    SAMPLES_PER_BIN,
    TRAINING_PROPOSALS,
)
from cassl_worker.detectors.fcos import START_DISTANCE_ANCHORS
from cassl_worker.detectors.mask_rcnn import MASK_ROI_SIDE
from cassl_worker.detectors.pyramid import PyramidFeatures
from cassl_worker.detectors.regions import region_levels
from cassl_worker.detectors.retinanet import ANCHOR_STRIDES, ASPECT_RATIOS, GROUP_CHANNELS

CASCADE = ((0.5, (10.0, 10.0, 5.0, 5.0)), (0.6, (20.0, 20.0, 10.0, 10.0)), (0.7, (30.0, 30.0, 15.0, 15.0)))
"""Of each stage, the IoU that makes an object of a region and the weights of its deltas (arXiv 1712.00726)."""
UNUSED_PIXELS = {"pixel_mean": (0.0, 0.0, 0.0), "pixel_std": (1.0, 1.0, 1.0)}
"""cassl's backbones normalize by themselves."""


class PyramidBackbone(PyramidFeatures):
    """cassl's pyramid as detectron2 asks for it: its levels are named after their strides in px."""

    def output_shape(self) -> dict[str, ShapeSpec]:
        return {str(stride): ShapeSpec(channels=self.out_channels, stride=stride) for stride in self.strides_px}


def build_fcos(config: DetectorConfig, class_count: int) -> Detectron2Detector:
    backbone = PyramidBackbone(config)
    head = FCOSHead(**head_options(config, class_count))
    # Starting at 0, half of the locations would sit where the rectifier has no gradient.
    nn.init.constant_(head.bbox_pred.bias, START_DISTANCE_ANCHORS)
    return DenseDetector(config, FCOS(backbone=backbone, head=head, num_classes=class_count, **UNUSED_PIXELS))


def build_retinanet(config: DetectorConfig, class_count: int) -> Detectron2Detector:
    sizes = [[stride * ANCHOR_STRIDES * 2 ** (step / 3) for step in range(3)] for stride in config.strides_px]
    anchors = DefaultAnchorGenerator(sizes=sizes, aspect_ratios=[ASPECT_RATIOS], strides=list(config.strides_px))
    model = RetinaNet(
        backbone=PyramidBackbone(config),
        head=RetinaNetHead(**head_options(config, class_count), num_anchors=3 * len(ASPECT_RATIOS)),
        head_in_features=[str(stride) for stride in config.strides_px],
        anchor_generator=anchors,
        box2box_transform=Box2BoxTransform(weights=(1.0, 1.0, 1.0, 1.0)),
        anchor_matcher=Matcher([0.4, 0.5], [0, -1, 1], allow_low_quality_matches=True),
        num_classes=class_count,
        **UNUSED_PIXELS,
    )
    return DenseDetector(config, model)


def head_options(config: DetectorConfig, class_count: int) -> dict[str, object]:
    levels = [ShapeSpec(channels=config.fpn_channels, stride=stride) for stride in config.strides_px]
    dims = [config.fpn_channels] * max(1, config.head_convolutions)
    return {"input_shape": levels, "conv_dims": dims, "norm": group_normalization, "num_classes": class_count}


def group_normalization(channels: int) -> nn.Module:
    return nn.GroupNorm(channels // GROUP_CHANNELS, channels)


def build_faster_rcnn(config: DetectorConfig, class_count: int) -> Detectron2Detector:
    return build_rcnn(config, lambda: build_heads(config, class_count, has_masks=False))


def build_mask_rcnn(config: DetectorConfig, class_count: int) -> Detectron2Detector:
    return build_rcnn(config, lambda: build_heads(config, class_count, has_masks=True))


def build_cascade_rcnn(config: DetectorConfig, class_count: int) -> Detectron2Detector:
    return build_rcnn(config, lambda: build_cascade(config, class_count))


def build_rcnn(config: DetectorConfig, build_second_stage: Callable[[], nn.Module]) -> Detectron2Detector:
    """Parts are built in the order in which images pass them, so that equal parts draw equal starting weights."""
    model = GeneralizedRCNN(
        backbone=PyramidBackbone(config, coarser="pooled"),
        proposal_generator=build_first_stage(config),
        roi_heads=build_second_stage(),
        **UNUSED_PIXELS,
    )
    kind = MaskedRegionDetector if model.roi_heads.mask_on else RegionDetector
    return kind(config, model)


def build_first_stage(config: DetectorConfig) -> RPN:
    finest = min(config.strides_px)
    return RPN(
        in_features=[str(stride) for stride in config.strides_px],
        head=StandardRPNHead(in_channels=config.fpn_channels, num_anchors=len(ASPECT_RATIOS)),
        anchor_generator=DefaultAnchorGenerator(
            sizes=[[FINEST_ANCHOR_PX * stride // finest] for stride in config.strides_px],
            aspect_ratios=[ASPECT_RATIOS],
            strides=list(config.strides_px),
        ),
        anchor_matcher=Matcher([0.3, 0.7], [0, -1, 1], allow_low_quality_matches=True),
        box2box_transform=Box2BoxTransform(weights=(1.0, 1.0, 1.0, 1.0)),
        batch_size_per_image=256,
        positive_fraction=0.5,
        pre_nms_topk=(TRAINING_PROPOSALS, config.proposals),
        post_nms_topk=(TRAINING_PROPOSALS, config.proposals),
    )


def build_heads(config: DetectorConfig, class_count: int, *, has_masks: bool) -> StandardROIHeads:
    return StandardROIHeads(
        **common_options(config, class_count),
        proposal_matcher=Matcher([0.5], [0, 1], allow_low_quality_matches=False),
        box_head=build_box_head(config),
        box_predictor=build_predictor(config, class_count, CASCADE[0][1]),
        **(mask_options(config) if has_masks else {}),
    )


def build_cascade(config: DetectorConfig, class_count: int) -> CascadeROIHeads:
    return CascadeROIHeads(
        **common_options(config, class_count),
        proposal_matchers=[Matcher([iou], [0, 1], allow_low_quality_matches=False) for iou, _ in CASCADE],
        box_heads=[build_box_head(config) for _ in CASCADE],
        box_predictors=[build_predictor(config, class_count, weights) for _, weights in CASCADE],
    )


def common_options(config: DetectorConfig, class_count: int) -> dict[str, object]:
    return {
        "num_classes": class_count,
        "batch_size_per_image": 512,
        "positive_fraction": 0.25,
        "box_in_features": region_levels(config.strides_px),
        "box_pooler": build_pooler(config, ROI_SIDE),
    }


def build_pooler(config: DetectorConfig, side: int) -> ROIPooler:
    scales = [1 / int(level) for level in region_levels(config.strides_px)]
    return ROIPooler(side, scales=scales, sampling_ratio=SAMPLES_PER_BIN, pooler_type="ROIAlignV2")


def build_box_head(config: DetectorConfig) -> FastRCNNConvFCHead:
    shape = ShapeSpec(channels=config.fpn_channels, height=ROI_SIDE, width=ROI_SIDE)
    return FastRCNNConvFCHead(shape, conv_dims=[], fc_dims=[BOX_FEATURES_PER_CHANNEL * config.fpn_channels] * 2)


def build_predictor(
    config: DetectorConfig, class_count: int, weights: tuple[float, float, float, float]
) -> FastRCNNOutputLayers:
    return FastRCNNOutputLayers(
        ShapeSpec(channels=BOX_FEATURES_PER_CHANNEL * config.fpn_channels),
        box2box_transform=Box2BoxTransform(weights=weights),
        num_classes=class_count,
        cls_agnostic_bbox_reg=True,
    )


def mask_options(config: DetectorConfig) -> dict[str, object]:
    channels = config.fpn_channels
    shape = ShapeSpec(channels=channels, height=MASK_ROI_SIDE, width=MASK_ROI_SIDE)
    return {
        "mask_in_features": region_levels(config.strides_px),
        "mask_pooler": build_pooler(config, MASK_ROI_SIDE),
        "mask_head": MaskRCNNConvUpsampleHead(
            shape, num_classes=1, conv_dims=[channels] * (config.head_convolutions + 1)
        ),
    }
