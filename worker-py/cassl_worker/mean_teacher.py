"""Joint training on labeled and unlabeled images by a mean teacher.

The common core of Unbiased Teacher (Liu et al., ICLR 2021, arXiv 2102.09480) and Soft Teacher (Xu et al., ICCV 2021,
arXiv 2106.09018): burn-in on labeled images, then the moving average of the weights labels images as they are, and the
detector learns these labels on the same images strongly changed. An object counts the same in a labeled as in an
unlabeled image, as in Soft Teacher, whose weight 4 makes up for batches of 1 to 4. Soft Teacher's box jittering is
not part of it.

It is a baseline, and the only place where ground truth and pseudo labels are learned together.
"""

import copy
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cassl.v1.task_pb2 import MeanTeacherTask

from cassl_worker.augmentation import draw_view, visible_boxes
from cassl_worker.batches import Batch, TrainingBatches
from cassl_worker.checkpoint import TrainingState
from cassl_worker.data import Dataset
from cassl_worker.detections import Detections
from cassl_worker.detectors import gives_masks
from cassl_worker.detectors.interface import Detector, Target
from cassl_worker.errors import CasslError
from cassl_worker.images import (
    Size,
    View,
    letterbox,
    letterbox_size,
    place_on_canvas,
    view_boxes,
    view_pixels,
)
from cassl_worker.predict import detect
from cassl_worker.recipe import DetectorRecipe, Recipe, in_background, refuse_no_images
from cassl_worker.records import Trained
from cassl_worker.sampling import UNLABELED_STREAM, batch_positions, input_size_at, own_slots
from cassl_worker.solver import changed
from cassl_worker.strong_augmentation import change_appearance, erase_patches


@dataclass(frozen=True)
class UnlabeledImages:
    """Images twice.

    Attributes:
        plain: (N, H, W, 3) uint8 RGB, letterboxed: what the teacher sees.
        changed: (N, H, W, 3) uint8 RGB: what is learned from.
        sizes: of the original images.
        views: which part of each image `changed` shows, and where.
    """

    plain: Tensor
    changed: Tensor
    sizes: tuple[Size, ...]
    views: tuple[View, ...]


@dataclass(frozen=True)
class MixedImages:
    """unlabeled: None during burn-in."""

    labeled: Batch
    unlabeled: UnlabeledImages | None


class MeanTeacherRecipe(Recipe[MixedImages]):
    """A detector for all classes of the labeled set. Its weights are the teacher's."""

    def __init__(
        self,
        task: MeanTeacherTask,
        labeled: Dataset,
        unlabeled: Dataset,
        device: torch.device,
        scratch: Path,
        init_from: Path | None = None,
    ) -> None:
        refuse_no_images(unlabeled)
        refuse_masks(task.train.detector.family)
        self.task, self.solver, self.seed = task, task.train.solver, task.train.seed
        self.student = DetectorRecipe(task.train, labeled, device, scratch, init_from)
        self.unlabeled, self.device = unlabeled, device
        self.what = f"Training on {len(labeled.images)} labeled and {len(unlabeled.images)} unlabeled images"
        self.teacher: Detector | None = None

    @property
    def most_processes(self) -> int:
        return most_processes_of(self.task)

    @property
    def pieces(self) -> tuple[int, ...]:
        """After the burn-in."""
        labeled = self.task.labeled_images_per_batch
        return (labeled, self.solver.images_per_batch - labeled)

    def start(self) -> TrainingState:
        state = self.student.start()
        self.teacher = teacher_of(state)
        return state

    def batches(self, start: int, seed: int) -> Generator[MixedImages]:
        source = MixedBatches(self.task, self.student.dataset, self.unlabeled, seed)
        return in_background(source.batch, start, self.solver)

    def batch_of(self, item: MixedImages, state: TrainingState) -> Batch:
        if item.unlabeled is None:
            return item.labeled.to(self.device)
        assert self.teacher is not None
        images = item.unlabeled
        found = detect(self.teacher, images.plain.to(self.device), images.sizes, self.task.predict)
        targets = [target_of(*each) for each in zip(found, images.sizes, images.views, strict=True)]
        return joined(item.labeled, Batch(images.changed, tuple(targets))).to(self.device)

    def finish(self, state: TrainingState) -> Trained:
        return self.student.finish(state)


def refuse_masks(family: str) -> None:
    if gives_masks(family):
        raise CasslError(
            "CONFIG_INVALID",
            f"The mean teacher learns no masks, which the family `{family}` needs.",
            "Leave `mean_teacher` out of `arms`, or choose a family without masks.",
        )


def teacher_of(state: TrainingState) -> Detector:
    """A detector whose learning weights are the moving average itself, not a copy: it is always up to date."""
    teacher = copy.deepcopy(state.detector)
    assert isinstance(teacher, Detector)
    weights = dict(teacher.named_parameters())
    for name, average in zip(state.learning, state.average, strict=True):
        weights[name].data = average
    return teacher.requires_grad_(False)


def most_processes_of(task: MeanTeacherTask) -> int:
    """Each has a labeled and an unlabeled image of every batch. One where batches go through the detector in parts:
    the first parts are labeled images, the last ones unlabeled, and the parts of a share would be others."""
    solver = task.train.solver
    if solver.gradient_accumulation > 1:
        return 1
    return min(task.labeled_images_per_batch, solver.images_per_batch - task.labeled_images_per_batch)


def target_of(found: Detections, size: Size, view: View) -> Target:
    """What was found in an image as what is to be found in a view of it."""
    boxes, visible = visible_boxes(view_boxes(found.boxes, size, view), view)
    return Target(torch.from_numpy(boxes[visible]), torch.from_numpy(found.classes[visible].astype(np.int64)))


def joined(one: Batch, other: Batch) -> Batch:
    return Batch(torch.cat([one.images, other.images]), one.targets + other.targets)


class MixedBatches:
    """Labeled images as in any training, and unlabeled ones after the burn-in."""

    def __init__(self, task: MeanTeacherTask, labeled: Dataset, unlabeled: Dataset, seed: int) -> None:
        solver, detector = task.train.solver, task.train.detector
        self.task, self.seed, self.augmentation = task, seed, solver.augmentation
        self.input_size = (detector.input_width_px, detector.input_height_px)
        self.unlabeled_count = solver.images_per_batch - task.labeled_images_per_batch
        self.labeled = TrainingBatches(labeled, input_size=self.input_size, solver=solver, seed=seed)
        unrepeated = changed(solver, repeat_threshold=0)
        self.images = TrainingBatches(unlabeled, input_size=self.input_size, solver=unrepeated, seed=seed)

    def batch(self, iteration: int) -> MixedImages:
        if iteration < self.task.burn_in_iterations:
            return MixedImages(self.labeled.batch(iteration), None)
        labeled = self.labeled.batch(iteration, self.task.labeled_images_per_batch)
        return MixedImages(labeled, self.unlabeled(iteration))

    def unlabeled(self, iteration: int) -> UnlabeledImages:
        positions = batch_positions(self.seed, iteration, self.unlabeled_count, self.images.repeats)
        size = input_size_at(self.seed, iteration, self.input_size, self.augmentation.multi_scale)
        samples = [
            self.sample(positions[slot], size, np.random.default_rng([self.seed, UNLABELED_STREAM, iteration, slot]))
            for slot in own_slots(self.unlabeled_count, 1)
        ]
        plain, changed, sizes, views = zip(*samples, strict=True)
        return UnlabeledImages(stacked(plain), stacked(changed), sizes, views)

    def sample(
        self, position: int, changed_size: Size, rng: np.random.Generator
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8], Size, View]:
        record, image = self.images.dataset.images[position], self.images.decoded(position)
        size = (record.width_px, record.height_px)
        view = draw_view(rng, self.augmentation, letterbox_size(size, changed_size))
        pixels = erase_patches(change_appearance(view_pixels(image, view), rng), rng)
        shown = place_on_canvas(pixels, view.place[:2], changed_size)
        return letterbox(image, self.input_size), shown, size, view


def stacked(images: Sequence[NDArray[np.uint8]]) -> Tensor:
    return torch.from_numpy(np.stack(images))
