"""What training, prediction and export ask of a detector."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor, nn


@dataclass(frozen=True)
class Target:
    """The objects of one training image.

    Attributes:
        boxes: (M, 4) float32, xyxy, input pixels; M may be 0.
        labels: (M,) int64, class indices in 0..K-1.
    """

    boxes: Tensor
    labels: Tensor


class Detector(nn.Module, ABC):
    """A detector for K classes on inputs of one size, W x H pixels.

    Images are (N, H, W, 3) uint8 RGB; a detector normalizes them itself, so that its exported form does too.
    """

    @abstractmethod
    def losses(self, images: Tensor, targets: Sequence[Target]) -> dict[str, Tensor]:
        """The training losses by name, scalars whose sum is minimized."""

    @abstractmethod
    def dense(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Every candidate, before any selection, by operations that export to ONNX.

        Returns:
            boxes: (N, L, 4) float32, xyxy, input pixels, not clipped.
            scores: (N, L, K) float32 in [0, 1].
        """

    @abstractmethod
    def backbone_stages(self) -> Sequence[Sequence[nn.Module]]:
        """The modules of the backbone, stage by stage, the stem in a stage of its own before the first."""

    @abstractmethod
    def class_dependent_tensors(self) -> frozenset[str]:
        """Names in `state_dict()` of the tensors whose shape or meaning depends on the classes."""

    @abstractmethod
    def classification_tower_tensors(self) -> frozenset[str]:
        """Names in `state_dict()` of the layers that only the class predictor uses."""
