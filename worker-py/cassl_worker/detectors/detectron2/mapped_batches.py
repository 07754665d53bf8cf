"""Training batches by detectron2's own data mapper and augmentations, as the configuration of the model says.

What a batch shows is still cassl's to say, and follows from seed and iteration. Nothing is registered with detectron2.
"""

import math
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from detectron2.config import CfgNode, instantiate
from detectron2.data import DatasetMapper
from detectron2.structures import BitMasks, BoxMode, Instances
from omegaconf import OmegaConf

from cassl.v1.task_pb2 import DetectorConfig, SolverConfig

from cassl_worker.batches import Batch
from cassl_worker.data import Dataset, Objects
from cassl_worker.detectors import gives_masks
from cassl_worker.detectors.detectron2.configuration import (
    YAML_SECTIONS,
    faults_of,
    invalid,
    is_bgr,
    read_configuration,
    refuse_unread,
)
from cassl_worker.detectors.interface import Target
from cassl_worker.images import Pixels, Size, decode, place_on_canvas
from cassl_worker.sampling import SIZE_STEP_PX, batch_positions, change_seed, own_slots, repeats_of

GENERATOR = threading.Lock()
"""Held by who draws from numpy's global random generator."""


class MappedBatches:
    """This process's images of the batches of a dataset, as large as detectron2 makes them, without any cache."""

    def __init__(self, dataset: Dataset, detector: DetectorConfig, solver: SolverConfig, seed: int) -> None:
        """CONFIG_INVALID if the configuration has no mapper, or none that cassl can use."""
        self.dataset, self.seed = dataset, seed
        self.name = detector.detectron2.config
        self.images_per_batch, self.parts = solver.images_per_batch, solver.gradient_accumulation
        self.repeats = repeats_of(dataset, solver.repeat_threshold)
        self.masks = gives_masks(detector.family)
        self.mapper = data_mapper(detector)

    def batch(self, iteration: int) -> Batch:
        positions = batch_positions(self.seed, iteration, self.images_per_batch, self.repeats)
        slots = own_slots(self.images_per_batch, self.parts)
        return padded([self.sample(positions[slot], change_seed(self.seed, iteration, slot)) for slot in slots])

    def sample(self, position: int, seed: int) -> tuple[Pixels, Target]:
        """What the mapper makes of an image, in RGB, if numpy's random generator starts from that seed.

        The mapper reads a file, so it is given one of the pixels that all of cassl sees: without EXIF orientation,
        from wherever the image is.
        """
        record = self.dataset.images[position]
        image = decode(record, self.dataset.root, self.dataset.remote)
        described = record_of(self.dataset.objects(position, masks=self.masks), image.size)
        with tempfile.NamedTemporaryFile(suffix=".bmp") as file:
            image.save(file, "BMP")
            file.flush()
            with faults_on(self.name, record.file_name), drawing_from(seed):
                mapped = self.mapper({"file_name": file.name, "image_id": record.id, **described})
        pixels = mapped["image"].permute(1, 2, 0).numpy()
        if pixels.dtype != np.uint8:
            raise invalid(
                f"the data mapper of `{self.name}` gives images of {pixels.dtype}", "Choose augmentations of uint8."
            )
        blue_first = self.mapper.image_format == "BGR"
        return pixels[..., ::-1] if blue_first else pixels, target_of(mapped.get("instances"), pixels, self.masks)


def data_mapper(config: DetectorConfig) -> DatasetMapper:
    """The mapper of a configuration for training, told whether masks are learned, which are bitmasks always."""
    name = config.detectron2.config
    with faults_of(name):
        configuration = read_configuration(config.detectron2)
        order = "BGR" if is_bgr(name, configuration) else "RGB"
        if isinstance(configuration, CfgNode):
            mapper = DatasetMapper(configuration, is_train=True)
            refuse_unread(configuration, config.detectron2.overrides, YAML_SECTIONS[1])
        else:
            mapper = instantiate(OmegaConf.select(configuration, "dataloader.train.mapper"))
    if not isinstance(mapper, DatasetMapper) or not mapper.is_train or mapper.image_format != order:
        raise invalid(
            f"`{name}` has no DatasetMapper for training on {order} images",
            "Add `dataloader.train.mapper`, or leave `detectron2_mapper` out of `augmentation`.",
        )
    mapper.use_instance_mask, mapper.instance_mask_format = gives_masks(config.family), "bitmask"
    if mapper.recompute_boxes and not mapper.use_instance_mask:
        raise invalid(
            f"the data mapper of `{name}` takes boxes from masks, which the family `{config.family}` does not have",
            "Set its `recompute_boxes` to False, or choose the family `detectron2_segmenter`.",
        )
    return mapper


def record_of(objects: Objects, size: Size) -> dict[str, Any]:
    """An image in detectron2's form. size: width, height in px.

    Without any object it has no annotations at all: the mapper cannot take boxes from masks where there is none.
    """
    shape = {"width": size[0], "height": size[1]}
    if len(objects.boxes) == 0:
        return shape
    annotations: list[dict[str, Any]] = [
        {"bbox": box.tolist(), "bbox_mode": BoxMode.XYXY_ABS, "category_id": int(class_index)}
        for box, class_index in zip(objects.boxes, objects.classes, strict=True)
    ]
    # Where no masks were asked for, there are none.
    for annotation, counts in zip(annotations, objects.masks, strict=False):
        annotation["segmentation"] = {"size": [size[1], size[0]], "counts": counts}
    return {**shape, "annotations": annotations}


def target_of(instances: Instances | None, pixels: Pixels, masks: bool) -> Target:
    height, width = pixels.shape[:2]
    if instances is None or len(instances) == 0:
        none = torch.zeros(0, height, width, dtype=torch.bool) if masks else None
        return Target(torch.zeros(0, 4), torch.zeros(0, dtype=torch.int64), none, (width, height))
    given = instances.gt_masks if masks else None
    assert given is None or isinstance(given, BitMasks)
    shown = None if given is None else given.tensor
    return Target(instances.gt_boxes.tensor.float(), instances.gt_classes, shown, (width, height))


def padded(samples: Sequence[tuple[Pixels, Target]]) -> Batch:
    """Images of different sizes in one batch, gray at right and bottom, where no detector looks."""
    images, targets = zip(*samples, strict=True)
    largest = np.array([pixels.shape[:2] for pixels in images]).max(axis=0)
    height, width = (SIZE_STEP_PX * math.ceil(side / SIZE_STEP_PX) for side in largest)
    inputs = [place_on_canvas(pixels, (0, 0), (width, height)) for pixels in images]
    return Batch(torch.from_numpy(np.stack(inputs)), targets)


@contextmanager
def drawing_from(seed: int) -> Iterator[None]:
    """numpy's global random generator, which detectron2's augmentations draw from, starts from a seed and is left as it
    was."""
    with GENERATOR:
        before = np.random.get_state()
        np.random.seed(seed)
        try:
            yield
        finally:
            np.random.set_state(before)


@contextmanager
def faults_on(name: str, file_name: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # Of any augmentation that a configuration may name.
        what = f"the data mapper of `{name}` fails on {file_name}: {error or type(error).__name__}"
        raise invalid(what, "Correct its augmentations.") from error
