"""What a detector family must have: losses, a dense output, and the names of the parts of its state.

A family is one module with one subclass of `Detector`, registered in `cassl_worker/detectors/__init__.py`.
docs/detectors.md walks through an example.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, ClassVar, Literal, get_args

import torch
from torch import Tensor, nn

from cassl.v1.task_pb2 import DetectorConfig

from cassl_worker.detectors.pyramid import PyramidFeatures
from cassl_worker.detectors.resnet_form import IMAGENET, ResNetForm, form_of, in_form, our_names, under_names
from cassl_worker.images import Size

Part = Literal["backbone", "fpn", "box_tower", "classification_tower", "class_predictor", "mask_head"]
"""What a detector consists of. The hand-over to other classes and the learning rates are decided part by part.

backbone: what ImageNet weights exist for.
fpn: the feature pyramid, coarser levels included.
box_tower: all that finds boxes, whatever is in them.
classification_tower: the layers whose features the class predictor reads, and what else reads these features.
class_predictor: the last layer, whose shape or meaning depends on the classes.
mask_head: what makes masks, whatever is in them; only families with masks have it.
"""
PARTS: tuple[Part, ...] = get_args(Part)
SHARED_PREFIXES: Mapping[Part, tuple[str, ...]] = {
    "backbone": ("model.backbone.body.",),
    "fpn": ("model.backbone.fpn.",),
}
"""The same in every family, so that one family's backbone and pyramid can be handed over to another's."""


OUR_STEM = "model.backbone.body.conv1.weight"
"""Of a ResNet."""
MaskForm = Literal["prototypes", "regions"]
"""How a detector gives masks: as mixtures of prototypes, or as a grid in each candidate's box."""
MASK_OUTPUTS: Mapping[MaskForm, tuple[str, ...]] = {
    "prototypes": ("mask_embeddings", "prototypes"),
    "regions": ("region_masks",),
}
"""What the dense output of a detector has behind boxes and scores.

mask_embeddings: (N, L, C) float32. prototypes: (N, C, rows, columns) float32, covering the whole input. The logits of a
    candidate's mask are the sum over c of its embedding[c] * prototypes[c].
region_masks: (N, L, M, side, side) float32, logits that cover the candidate's box; M is 1 where classes do not matter,
    else K.
"""

HeadPrefixes = Mapping[Part, tuple[str, ...]]


@dataclass(frozen=True)
class Target:
    """The objects of one training image.

    Attributes:
        boxes: (M, 4) float32, xyxy, input pixels; M may be 0.
        labels: (M,) int64, class indices in 0..K-1.
        masks: (M, H, W) bool, in input pixels; a mask may be empty where its object is hardly visible. None: the
            detector learns no masks.
        image_size: (width, height) in px of the part of the input, at its top left, that is image and the only one that
            the detector looks at; masks have this size too. None: all of the input.
    """

    boxes: Tensor
    labels: Tensor
    masks: Tensor | None = None
    image_size: Size | None = None

    def as_torchvision(self, first_label: int = 0) -> dict[str, Tensor]:
        """The form that torchvision's detectors take. first_label: of class index 0."""
        masks = {} if self.masks is None else {"masks": self.masks}
        return {"boxes": self.boxes, "labels": self.labels + first_label, **masks}

    def to(self, device: torch.device) -> "Target":
        masks = None if self.masks is None else self.masks.to(device)
        return replace(self, boxes=self.boxes.to(device), labels=self.labels.to(device), masks=masks)


class Learner(nn.Module, ABC):
    """What a training changes.

    Attributes:
        divisors: what the last call of `losses` has divided each loss by, or by 1 where it is 0. Losses that are not
            named are means over the images. So that several processes can weigh their losses as one would.
    """

    divisors: Mapping[str, int] = MappingProxyType({})

    @abstractmethod
    def losses(self, images: Tensor, targets: Sequence[Target]) -> dict[str, Tensor]:
        """The training losses by name, scalars whose sum is minimized.

        What is drawn at random comes from torch's global generator.

        Args:
            images: (N, H, W, 3) uint8 RGB.
            targets: one an image; none where nothing but images is learned from.
        """


class Detector(Learner):
    """A detector for K classes on inputs of one size, W x H pixels.

    Images are (N, H, W, 3) uint8 RGB; a detector normalizes them itself, so that its exported form does too. It stays
    in evaluation mode, also in training: batches are too small for statistics of their own, so batch normalization
    uses the stored ones.

    Attributes:
        input_size: (width, height) in px.
        model: torchvision's detector, so that names in the state are `model.` and then torchvision's.
        HEAD_PREFIXES: the parts behind the pyramid, as prefixes of names in `state_dict()`.
        MASK_FORM: None: it gives no masks.
    """

    HEAD_PREFIXES: ClassVar[HeadPrefixes]
    MASK_FORM: ClassVar[MaskForm | None] = None
    model: Any

    def __init__(self, config: DetectorConfig) -> None:
        super().__init__()
        self.input_size = (config.input_width_px, config.input_height_px)

    def fit_to(self, input_size: Size) -> None:
        """From now on inputs have this size, both sides multiples of 32 px. Weights do not depend on it."""
        self.input_size = input_size

    @abstractmethod
    def dense(self, images: Tensor) -> tuple[Tensor, ...]:
        """Every candidate, before any selection, by operations that export to ONNX.

        Returns:
            boxes: (N, L, 4) float32, xyxy, input pixels, not clipped.
            scores: (N, L, K) float32 in [0, 1].
            and what `MASK_OUTPUTS` says of its form of masks.
        """

    @abstractmethod
    def expanded(self, name: str, tensor: Tensor, class_count: int) -> Tensor:
        """A tensor of a one-class class predictor for `class_count` classes, each of which scores as the one did."""

    def adapted(self, given: Mapping[str, Tensor], form: ResNetForm | None) -> Mapping[str, Tensor]:
        """Tensors of another detector of cassl under the names, and in the layouts, that this one has for them.

        form: theirs, where they say it. WEIGHTS_MISMATCH if the same backbone would give other features here.
        """
        named = under_names(given, our_names(given), self.state_dict())
        return in_form(named, OUR_STEM, form or IMAGENET, self.resnet_form)

    @property
    def resnet_form(self) -> ResNetForm | None:
        """How the backbone takes images; None if it is no ResNet."""
        features = self.features
        return (
            form_of(features.body, features.pixel_mean, features.pixel_std) if OUR_STEM in self.state_dict() else None
        )

    @property
    def output_names(self) -> tuple[str, ...]:
        """Of what `dense` gives."""
        return ("boxes", "scores", *(() if self.MASK_FORM is None else MASK_OUTPUTS[self.MASK_FORM]))

    @property
    def features(self) -> PyramidFeatures:
        backbone = self.model.backbone
        assert isinstance(backbone, PyramidFeatures)
        return backbone

    @property
    def takes_any_size(self) -> bool:
        """Whether `fit_to` takes other sizes than the configuration's."""
        return self.features.takes_any_size

    def backbone_stages(self) -> Sequence[Sequence[nn.Module]]:
        """The modules of the backbone, stage by stage, the stem in a stage of its own before the first."""
        return self.features.stages()

    def part_of(self, name: str) -> Part:
        """The part that a tensor of `state_dict()` belongs to."""
        return next(part for part, prefixes in self.prefixes() if name.startswith(prefixes))

    def names_in(self, part: Part) -> frozenset[str]:
        tensors = {name for name, value in self.state_dict().items() if isinstance(value, Tensor)}
        return frozenset(name for name in tensors if self.part_of(name) == part)

    def prefixes(self) -> Iterator[tuple[Part, tuple[str, ...]]]:
        yield from self.shared_prefixes().items()
        yield from self.head_prefixes().items()

    def shared_prefixes(self) -> Mapping[Part, tuple[str, ...]]:
        return SHARED_PREFIXES

    def head_prefixes(self) -> HeadPrefixes:
        return self.HEAD_PREFIXES
