"""The family `faster_rcnn` (Ren et al., NeurIPS 2015, arXiv 1506.01497) with one box regression for all classes.

Class-agnostic regression (`CLS_AGNOSTIC_BBOX_REG` elsewhere) makes all but the class predictor independent of the
classes, so that a warm-up without classes hands it over whole.
"""

import math
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional
from torchvision.models.detection._utils import BalancedPositiveNegativeSampler
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.faster_rcnn import FasterRCNN, TwoMLPHead
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.rpn import RPNHead, concat_box_prediction_layers
from torchvision.ops import MultiScaleRoIAlign

from cassl.v1.task_pb2 import DetectorConfig

from cassl_worker.detectors.boxes import clip, decode_deltas, strongest, take
from cassl_worker.detectors.interface import Detector, HeadPrefixes, Target
from cassl_worker.detectors.pyramid import PyramidFeatures, fixed_anchors
from cassl_worker.detectors.regions import align_regions, region_levels
from cassl_worker.images import Size

FINEST_ANCHOR_PX = 32
"""Side of the anchors of the finest level; each further level doubles it."""
ASPECT_RATIOS = (0.5, 1.0, 2.0)
PROPOSAL_NMS_IOU = 0.7
ROI_SIDE = 7
"""Samples along a side of a region."""
SAMPLES_PER_BIN = 2
BOX_FEATURES_PER_CHANNEL = 4
"""Width of the box head over that of the pyramid; torchvision's 1024 for 256."""
BOX_LOSS_BETA = 1 / 9
"""Deltas beyond which the loss is linear; as in torchvision."""
TRAINING_PROPOSALS = 1000
"""Regions of an image that the samples of the second stage are drawn from."""


@dataclass(frozen=True)
class Samples:
    """Regions that the second stage learns from; an entry an image.

    Attributes:
        boxes: (S, 4) xyxy, input px.
        matches: (S,) int64, the object that a region is nearest to.
        labels: (S,) int64, class index + 1; 0: background.
        deltas: (S, 4) from the region to its object.
    """

    boxes: list[Tensor]
    matches: list[Tensor]
    labels: list[Tensor]
    deltas: list[Tensor]


class FasterRcnnDetector(Detector):
    """Proposals of a first stage, each with K + 1 class logits (the first is background) and one refined box.

    Attributes:
        proposal_count: regions of a level that compete, and regions that the second stage looks at, in prediction.
        anchors: (L, 4) float32 xyxy, input px; all levels, finest first.
    """

    HEAD_PREFIXES: ClassVar[HeadPrefixes] = {
        "box_tower": ("model.rpn.head.",),
        "classification_tower": ("model.roi_heads.box_head.", "model.roi_heads.box_predictor.bbox_pred."),
        "class_predictor": ("model.roi_heads.box_predictor.cls_score.",),
    }
    anchors: Tensor

    def __init__(self, config: DetectorConfig, class_count: int) -> None:
        super().__init__(config)
        self.proposal_count = config.proposals
        self.model = build_model(config, class_count)
        self.fit_to(self.input_size)
        self.eval().to(memory_format=torch.channels_last)

    def fit_to(self, input_size: Size) -> None:
        super().fit_to(input_size)
        levels = fixed_anchors(self.model.rpn.anchor_generator, input_size, self.features.strides_px)
        self.anchors_per_level = [len(level) for level in levels]
        self.register_buffer("anchors", torch.cat(levels).to(self.features.pixel_mean), persistent=False)

    def losses(self, images: Tensor, targets: Sequence[Target]) -> dict[str, Tensor]:
        features = self.features(images)
        with torch.autocast(images.device.type, enabled=False):
            return self.losses_of(float32(features), images, targets)

    def losses_of(
        self, features: "OrderedDict[str, Tensor]", images: Tensor, targets: Sequence[Target]
    ) -> dict[str, Tensor]:
        """torchvision's targets and losses, but for the box regression, which has no classes."""
        # Class 0 is background.
        given = [target.as_torchvision(first_label=1) for target in targets]
        sizes = [(images.shape[1], images.shape[2])] * len(images)
        # In training, torchvision's parts give losses.
        self.model.rpn.train()
        proposals, losses = self.model.rpn(ImageList(images.permute(0, 3, 1, 2), sizes), features, given)
        samples = Samples(*self.model.roi_heads.select_training_samples(proposals, given))
        anchors, regions = self.model.rpn.fg_bg_sampler.drawn, sum(map(len, samples.labels))
        self.divisors = {
            "objectness": anchors,
            "proposal_regression": anchors,
            "classification": regions,
            "bbox_regression": regions,
        }
        return {
            "objectness": losses["loss_objectness"],
            "proposal_regression": losses["loss_rpn_box_reg"],
            **self.region_losses(features, samples, targets),
        }

    def region_losses(
        self, features: "OrderedDict[str, Tensor]", samples: "Samples", targets: Sequence[Target]
    ) -> dict[str, Tensor]:
        """Of the second stage."""
        heads = self.model.roi_heads
        regions = heads.box_roi_pool(features, samples.boxes, [self.input_size[::-1]] * len(targets))
        logits, predicted = heads.box_predictor(heads.box_head(regions))
        classes = torch.cat(samples.labels)
        wrong = torch.where(classes[:, None] > 0, predicted - torch.cat(samples.deltas), 0)
        box_loss = functional.smooth_l1_loss(wrong, torch.zeros_like(wrong), beta=BOX_LOSS_BETA, reduction="sum")
        return {
            "classification": functional.cross_entropy(logits, classes),
            "bbox_regression": box_loss / max(1, classes.numel()),
        }

    def dense(self, images: Tensor) -> tuple[Tensor, ...]:
        return self.candidates(float32(self.features(images)))

    def candidates(self, features: "OrderedDict[str, Tensor]") -> tuple[Tensor, Tensor]:
        """Boxes and scores: the class's share in the softmax over the classes and background."""
        proposals, exists = self.proposals(list(features.values()))
        logits, deltas = self.second_stage(features, proposals)
        boxes = decode_deltas(self.model.roi_heads.box_coder, deltas, proposals)
        return boxes, torch.softmax(logits, dim=-1)[..., 1:] * exists[..., None]

    def proposals(self, levels: list[Tensor]) -> tuple[Tensor, Tensor]:
        """The best regions: (N, P, 4) xyxy and, (N, P) float32, 1 where there is one and 0 where there are too few."""
        objectness, deltas = self.model.rpn.head(levels)
        objectness, deltas = concat_box_prediction_layers(objectness, deltas)
        objectness = torch.sigmoid(objectness.reshape(levels[0].shape[0], -1))
        boxes = decode_deltas(self.model.rpn.box_coder, deltas.reshape(*objectness.shape, 4), self.anchors)
        boxes = clip(boxes, self.input_size)
        by_level = zip(
            torch.split(boxes, self.anchors_per_level, dim=1),
            torch.split(objectness, self.anchors_per_level, dim=1),
            strict=True,
        )
        kept = [strongest(*level, self.proposal_count, PROPOSAL_NMS_IOU) for level in by_level]
        boxes, scores = torch.cat([box for box, _ in kept], dim=1), torch.cat([score for _, score in kept], dim=1)
        best, order = scores.topk(min(self.proposal_count, scores.shape[1]))
        return take(boxes, order), (best > 0).float()

    def second_stage(self, features: "OrderedDict[str, Tensor]", proposals: Tensor) -> tuple[Tensor, Tensor]:
        """proposals: (N, P, 4). Returns class logits (N, P, K + 1) and deltas (N, P, 4)."""
        regions = align_regions(features, proposals, ROI_SIDE, SAMPLES_PER_BIN)
        logits, deltas = self.model.roi_heads.box_predictor(self.model.roi_heads.box_head(regions))
        count = proposals.shape[1]
        return logits.reshape(-1, count, logits.shape[-1]), deltas.reshape(-1, count, 4)

    def expanded(self, name: str, tensor: Tensor, class_count: int) -> Tensor:
        """The object's row for every class; less bias, so that the classes together are as likely as the object was."""
        background, one = tensor[:1], tensor[1:]
        shift = math.log(class_count) if name.endswith(".bias") else 0.0
        return torch.cat([background, (one - shift).repeat(class_count, *[1] * (tensor.ndim - 1))])


class CountingSampler(BalancedPositiveNegativeSampler):  # type: ignore[misc]
    """torchvision's choice of the anchors that learn.

    Attributes:
        drawn: how many it has chosen last, over all images.
    """

    drawn = 0

    def __call__(self, matched_idxs: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        positive, negative = super().__call__(matched_idxs)
        self.drawn = int(torch.stack([*positive, *negative]).sum())
        return positive, negative


class AgnosticPredictor(nn.Module):
    """Class logits, background first, and one set of deltas for all classes. Names are torchvision's."""

    def __init__(self, channels: int, class_count: int) -> None:
        super().__init__()
        self.cls_score = nn.Linear(channels, class_count + 1)
        self.bbox_pred = nn.Linear(channels, 4)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """features: (R, channels). Returns (R, K + 1), (R, 4)."""
        return self.cls_score(features), self.bbox_pred(features)


def build_model(config: DetectorConfig, class_count: int) -> FasterRCNN:
    channels, finest = config.fpn_channels, min(config.strides_px)
    sizes = tuple((FINEST_ANCHOR_PX * stride // finest,) for stride in config.strides_px)
    width = BOX_FEATURES_PER_CHANNEL * channels
    model = FasterRCNN(
        PyramidFeatures(config, coarser="pooled"),
        rpn_anchor_generator=AnchorGenerator(sizes, (ASPECT_RATIOS,) * len(sizes)),
        rpn_head=RPNHead(channels, len(ASPECT_RATIOS)),
        rpn_nms_thresh=PROPOSAL_NMS_IOU,
        rpn_pre_nms_top_n_train=TRAINING_PROPOSALS,
        rpn_post_nms_top_n_train=TRAINING_PROPOSALS,
        box_roi_pool=MultiScaleRoIAlign(region_levels(config.strides_px), ROI_SIDE, SAMPLES_PER_BIN),
        box_head=TwoMLPHead(channels * ROI_SIDE**2, width),
        box_predictor=AgnosticPredictor(width, class_count),
    )
    sampler = model.rpn.fg_bg_sampler
    model.rpn.fg_bg_sampler = CountingSampler(sampler.batch_size_per_image, sampler.positive_fraction)
    return model


def float32(features: "OrderedDict[str, Tensor]") -> "OrderedDict[str, Tensor]":
    return OrderedDict((name, feature.float()) for name, feature in features.items())
