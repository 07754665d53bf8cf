"""What detectors of detectron2 have in common, whatever their model."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
from detectron2.structures import BitMasks, Boxes, ImageList, Instances
from detectron2.utils.events import EventStorage
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from cassl.v1.task_pb2 import DetectorConfig

from cassl_worker.detectors.interface import Detector, Part, Target
from cassl_worker.detectors.pyramid import PyramidFeatures
from cassl_worker.detectors.resnet_form import IMAGENET, ResNetForm, form_of, in_form, our_names, under_names
from cassl_worker.errors import training_diverged

OWN_PREFIXES: Mapping[Part, tuple[str, ...]] = {"backbone": ("model.backbone.bottom_up.",)}
"""Of models with a backbone of detectron2; what is left of their `model.backbone.` is the pyramid."""
STEM = "model.backbone.bottom_up.stem.conv1.weight"
NORMALIZER = "loss_normalizer"
"""Attribute of one-stage models: a moving average of how many candidates of a batch are objects."""


class Detectron2Detector(Detector):
    """A model of detectron2 behind cassl's interface: its parts are called one by one, its own trainer and its own
    choice of detections are not used.

    Attributes:
        model: detectron2's meta-architecture, so that names in the state are `model.` and then detectron2's.
        is_bgr: whether a backbone of detectron2 takes blue first.
    """

    def __init__(self, config: DetectorConfig, model: nn.Module, *, is_bgr: bool = False) -> None:
        super().__init__(config)
        self.model = model
        self.is_bgr = is_bgr
        self.eval().to(memory_format=torch.channels_last)

    @property
    def has_own_backbone(self) -> bool:
        """Whether backbone and pyramid are cassl's."""
        return isinstance(self.model.backbone, PyramidFeatures)

    def pyramid(self, images: Tensor) -> dict[str, Tensor]:
        """images: (N, H, W, 3) uint8 RGB. Returns (N, C, H / stride, W / stride) by detectron2's name of the level."""
        if self.has_own_backbone:
            return dict(self.model.backbone(images))
        pixels = self.own_colors(images).float()
        features: dict[str, Tensor] = self.model.backbone((pixels - self.model.pixel_mean) / self.model.pixel_std)
        return features

    def own_colors(self, images: Tensor) -> Tensor:
        """(N, H, W, 3) RGB to (N, 3, H, W) in the order that a backbone of detectron2 takes."""
        pixels = images.permute(0, 3, 1, 2)
        return pixels.flip(1) if self.is_bgr else pixels

    def losses(self, images: Tensor, targets: Sequence[Target]) -> dict[str, Tensor]:
        """TRAINING_DIVERGED where detectron2 finds predictions that are not finite."""
        inputs, features = self.inputs(images, targets)
        instances = [to_instance(target, size) for target, size in zip(targets, inputs.image_sizes, strict=True)]
        try:
            with EventStorage(0):
                return self.losses_of(features, inputs, instances)
        except FloatingPointError as error:
            raise training_diverged(f"detectron2 says: {error}") from error

    def inputs(self, images: Tensor, targets: Sequence[Target]) -> tuple[ImageList, Mapping[str, Tensor]]:
        """Images as detectron2 has them, with their sizes, and their features.

        Those that fill a part of their input only are padded as detectron2 does it: behind the normalization.
        """
        sizes = [target.image_size for target in targets if target.image_size is not None]
        if not sizes:
            return ImageList(images, [(images.shape[1], images.shape[2])] * len(images)), self.pyramid(images)
        inputs = zip(self.own_colors(images), sizes, strict=True)
        shown = self.model.preprocess_image(
            [{"image": pixels[:, :height, :width]} for pixels, (width, height) in inputs]
        )
        return shown, self.model.backbone(shown.tensor)

    @abstractmethod
    def losses_of(
        self, features: Mapping[str, Tensor], images: ImageList, targets: Sequence[Instances]
    ) -> dict[str, Tensor]:
        """detectron2's losses. features: of the levels, by their names."""

    def adapted(self, given: Mapping[str, Tensor], form: ResNetForm | None) -> Mapping[str, Tensor]:
        if self.has_own_backbone:
            return super().adapted(given, form)
        state = self.state_dict()
        names = {ours: theirs for theirs, ours in our_names(state).items()}
        if form is None:
            form = IMAGENET if given.keys() & names.keys() else self.resnet_form
        return in_form(under_names(given, names, state), STEM, form, self.resnet_form)

    @property
    def resnet_form(self) -> ResNetForm | None:
        if self.has_own_backbone:
            return super().resnet_form
        return form_of(self.model.backbone, self.model.pixel_mean, self.model.pixel_std, is_bgr=self.is_bgr)

    @property
    def takes_any_size(self) -> bool:
        return not self.has_own_backbone or self.features.takes_any_size

    def backbone_stages(self) -> Sequence[Sequence[nn.Module]]:
        if self.has_own_backbone:
            return self.features.stages()
        bottom_up = self.model.backbone.bottom_up
        stages = getattr(bottom_up, "stages", None)
        return [[bottom_up]] if stages is None else [[bottom_up.stem], *([stage] for stage in stages)]

    def shared_prefixes(self) -> Mapping[Part, tuple[str, ...]]:
        if self.has_own_backbone:
            return super().shared_prefixes()
        beside = [name for name, _ in self.model.backbone.named_children() if name != "bottom_up"]
        return {**OWN_PREFIXES, "fpn": tuple(f"model.backbone.{name}." for name in beside)}

    def get_extra_state(self) -> dict[str, float]:
        """What detectron2 keeps outside of tensors, so that a resumed training goes on exactly."""
        return {NORMALIZER: getattr(self.model, NORMALIZER)} if hasattr(self.model, NORMALIZER) else {}

    def set_extra_state(self, state: Mapping[str, float]) -> None:
        for name, value in state.items():
            setattr(self.model, name, value)


def to_instance(target: Target, size: tuple[int, int]) -> Instances:
    """size: height, width of the image in px."""
    # detectron2 changes what it is given in place.
    masks = {} if target.masks is None else {"gt_masks": BitMasks(target.masks)}
    return Instances(size, gt_boxes=Boxes(target.boxes.clone()), gt_classes=target.labels.clone(), **masks)


@contextmanager
def in_training(*parts: nn.Module) -> Iterator[None]:
    """The parts give losses; their batch normalization keeps to its stored statistics."""
    modules = [module for part in parts for module in part.modules() if not isinstance(module, _BatchNorm)]
    for module in modules:
        module.training = True
    try:
        yield
    finally:
        for module in modules:
            module.training = False


def float32(features: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: feature.float() for name, feature in features.items()}
