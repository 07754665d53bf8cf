"""Training batches. A batch is a pure function of dataset, seed and iteration, so that training that goes on from a
checkpoint sees the images that it would have seen anyway."""

import math
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from cassl.v1.task_pb2 import SolverConfig

from cassl_worker.augmentation import draw_view, jitter_color, visible_boxes
from cassl_worker.copy_paste import paste_objects
from cassl_worker.data import Dataset
from cassl_worker.detectors.interface import Target
from cassl_worker.images import Size, decode, letterbox_size, place_on_canvas, view_boxes, view_masks, view_pixels
from cassl_worker.sampling import CHANGE_STREAM, batch_positions, input_size_at, own_slots, repeats_of

CACHE_BYTES = 1 << 30
"""Decoded images kept in memory by a training task."""


@dataclass(frozen=True)
class Batch:
    """images: (N, H, W, 3) uint8 RGB; one target an image, or none where nothing but images is learned from."""

    images: Tensor
    targets: tuple[Target, ...]

    def to(self, device: torch.device) -> "Batch":
        return Batch(self.images.to(device), tuple(target.to(device) for target in self.targets))

    def split(self, count: int) -> Iterator["Batch"]:
        """The batch in so many parts of the same size."""
        size = len(self.images) // count
        for start in range(0, len(self.images), size):
            yield Batch(self.images[start : start + size], self.targets[start : start + size])


class TrainingBatches:
    """Makes this process's images of batches from a dataset; keeps decoded images. Threads may share it."""

    def __init__(
        self, dataset: Dataset, *, input_size: Size, solver: SolverConfig, seed: int, masks: bool = False
    ) -> None:
        """masks: whether targets are to have masks; then every object of the dataset must have one."""
        self.dataset = dataset
        self.input_size = input_size
        self.images_per_batch, self.parts = solver.images_per_batch, solver.gradient_accumulation
        self.repeats = repeats_of(dataset, solver.repeat_threshold)
        self.augmentation = solver.augmentation
        self.seed = seed
        self.masks = masks
        self.cache = ImageCache(CACHE_BYTES)

    def batch(self, iteration: int, count: int | None = None) -> Batch:
        """count: images in the batches, all of one part; None: as many, in as many parts, as the solver says."""
        images, parts = (self.images_per_batch, self.parts) if count is None else (count, 1)
        positions = batch_positions(self.seed, iteration, images, self.repeats)
        input_size = input_size_at(self.seed, iteration, self.input_size, self.augmentation.multi_scale)
        slots = own_slots(images, parts)
        changes = (np.random.default_rng([self.seed, CHANGE_STREAM, iteration, slot]) for slot in slots)
        samples = [self.sample(positions[slot], input_size, rng) for slot, rng in zip(slots, changes, strict=True)]
        inputs, targets = zip(*samples, strict=True)
        return Batch(torch.from_numpy(np.stack(inputs)), targets)

    def sample(self, position: int, input_size: Size, rng: np.random.Generator) -> tuple[NDArray[np.uint8], Target]:
        """One image of the dataset, changed at random, with its objects and perhaps those of another image."""
        pixels, target = self.changed(position, input_size, rng)
        probability = self.augmentation.copy_paste if self.masks else 0
        if probability == 0 or rng.random() >= probability:
            return pixels, target
        other = int(rng.integers(len(self.dataset.images)))
        return paste_objects(pixels, target, *self.changed(other, input_size, rng), rng)

    def changed(self, position: int, input_size: Size, rng: np.random.Generator) -> tuple[NDArray[np.uint8], Target]:
        """One image of the dataset, changed at random, with its objects."""
        record = self.dataset.images[position]
        size = (record.width_px, record.height_px)
        view = draw_view(rng, self.augmentation, letterbox_size(size, input_size))
        pixels = jitter_color(view_pixels(self.decoded(position), view), rng, self.augmentation.color_jitter)
        objects = self.dataset.objects(position, masks=self.masks)
        boxes, visible = visible_boxes(view_boxes(objects.boxes, size, view), view)
        target = Target(torch.from_numpy(boxes[visible]), torch.from_numpy(objects.classes[visible]))
        if self.masks:
            shown = tuple(objects.masks[at] for at in np.flatnonzero(visible))
            target = replace(target, masks=torch.from_numpy(view_masks(shown, size, view, input_size)))
        return place_on_canvas(pixels, view.place[:2], input_size), target

    def decoded(self, position: int) -> Image.Image:
        cached = self.cache.get(position)
        if cached is not None:
            return cached
        # Twice what the largest zoom shows, so that the last step to the size needed is a proper resize.
        largest = max(1.0, self.augmentation.max_zoom) * (1 + self.augmentation.multi_scale)
        width, height = (math.ceil(2 * largest * side) for side in self.input_size)
        record, dataset = self.dataset.images[position], self.dataset
        image = decode(record, dataset.root, dataset.remote, enough=(width, height))
        self.cache.put(position, image)
        return image


class ImageCache:
    """Keeps the images that come first, until they fill a number of bytes."""

    def __init__(self, capacity_bytes: int) -> None:
        self.free_bytes = capacity_bytes
        self.images: dict[int, Image.Image] = {}
        self.lock = threading.Lock()

    def get(self, position: int) -> Image.Image | None:
        return self.images.get(position)

    def put(self, position: int, image: Image.Image) -> None:
        size_bytes = image.width * image.height * len(image.getbands())
        with self.lock:
            if position not in self.images and size_bytes <= self.free_bytes:
                self.images[position] = image
                self.free_bytes -= size_bytes
