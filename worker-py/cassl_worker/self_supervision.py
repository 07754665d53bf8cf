"""The only module that knows lightly: heads and loss of SimSiam (Chen and He, CVPR 2021, arXiv 2011.10566)."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from cassl_worker.detectors.backbone import channels_by_stride
from cassl_worker.detectors.interface import Detector, Learner, Target
from cassl_worker.detectors.pyramid import PyramidFeatures
from cassl_worker.errors import CasslError

HIDDEN_CHANNELS, BOTTLENECK_CHANNELS = 512, 128
"""A quarter of the paper's, as backbones and batches here are: the heads are thrown away."""


class SimSiam(Learner):
    """Learns that the backbone's features of two views of an image agree: each is to predict the other.

    The backbone normalizes with its stored statistics, as in a detector: it is handed to one, where statistics of
    pretraining batches would not be those that fit, and a few views give poor ones. The heads, which are thrown away,
    normalize by batch, without which SimSiam learns little (section 4.4 of the paper).

    Attributes:
        detector: whose backbone is trained; nothing else of it is.
    """

    def __init__(self, detector: Detector) -> None:
        super().__init__()
        refuse_foreign_backbone(detector)
        loss, projection, prediction = lightly_parts()
        self.detector = detector
        by_stride = channels_by_stride(detector.features.body)
        channels = by_stride[max(by_stride)]
        self.projection: nn.Module = projection(channels, HIDDEN_CHANNELS, HIDDEN_CHANNELS)
        self.prediction: nn.Module = prediction(HIDDEN_CHANNELS, BOTTLENECK_CHANNELS, HIDDEN_CHANNELS)
        self.negative_similarity: nn.Module = loss()

    def losses(self, images: Tensor, targets: Sequence[Target]) -> dict[str, Tensor]:
        """images: (2 N, H, W, 3); the second half shows the images of the first. The loss is in 0..2, 1 by chance."""
        features = coarsest_features(self.detector, images).mean(dim=(2, 3))
        with torch.autocast(images.device.type, enabled=False):
            first, second = (self.projection(half) for half in features.float().chunk(2))
            ahead = self.negative_similarity(self.prediction(first), second.detach())
            back = self.negative_similarity(self.prediction(second), first.detach())
        return {"disagreement": 1 + (ahead + back) / 2}


def refuse_foreign_backbone(detector: Detector) -> None:
    if not isinstance(detector.model.backbone, PyramidFeatures):
        raise CasslError(
            "CONFIG_INVALID",
            "The arm `self_supervised` pretrains timm's backbones only, and this detector has one of its own.",
            "Leave `self_supervised` out of `arms`, or choose a family with a timm backbone.",
        )


def coarsest_features(detector: Detector, images: Tensor) -> Tensor:
    features = detector.features.body_features(images)
    return features[max(features)]


def lightly_parts() -> tuple[type[nn.Module], type[nn.Module], type[nn.Module]]:
    """Loss, projection head, prediction head. WORKER_INCOMPLETE without the package."""
    try:
        from lightly.loss.negative_cosine_similarity import NegativeCosineSimilarity
        from lightly.models.modules.heads import SimSiamPredictionHead, SimSiamProjectionHead
    except ImportError as error:
        raise CasslError(
            "WORKER_INCOMPLETE",
            f"The arm `self_supervised` needs a package that is missing: {error}.",
            "Install the worker with the extra `ssl`: pip install 'cassl-worker[torch,ssl]'.",
        ) from error
    return NegativeCosineSimilarity, SimSiamProjectionHead, SimSiamPredictionHead
