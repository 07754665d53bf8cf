"""Pretraining of a detector's backbone on images alone."""

from collections.abc import Generator
from pathlib import Path

import numpy as np
import torch

from cassl.v1.task_pb2 import AugmentationConfig, PretrainTask, SolverConfig

from cassl_worker.batches import Batch, TrainingBatches
from cassl_worker.checkpoint import TrainingState, Weights, save_weights
from cassl_worker.data import Dataset
from cassl_worker.errors import CasslError
from cassl_worker.images import Pixels, view_pixels
from cassl_worker.recipe import (
    LEDGER,
    Recipe,
    in_background,
    ledger_of,
    refuse_no_images,
    starting_detector,
    trained_tensors,
)
from cassl_worker.records import Trained
from cassl_worker.sampling import CHANGE_STREAM, batch_positions
from cassl_worker.self_supervision import SimSiam
from cassl_worker.solver import adamw, decay_groups, freeze_stages, learning_weights
from cassl_worker.strong_augmentation import change_appearance, draw_crop

PREFIX = "detector."
"""Of the detector's tensors in the state of SimSiam."""


class PretrainRecipe(Recipe[Batch]):
    """The backbone, on pairs of views of a dataset's images.

    The weights file is that of a detector with one class, of which nothing else than the backbone has learned.
    """

    def __init__(
        self, task: PretrainTask, dataset: Dataset, device: torch.device, scratch: Path, init_from: Path | None = None
    ) -> None:
        refuse_no_images(dataset)
        check_views(task.train.solver)
        self.task, self.solver, self.seed = task, task.train.solver, task.train.seed
        self.dataset, self.device, self.scratch, self.init_from = dataset, device, scratch, init_from
        self.what = f"Pretraining on {len(dataset.images)} images"

    @property
    def most_processes(self) -> int:
        """One: the heads of SimSiam normalize by batch, so that a divided batch would train something else."""
        return 1

    def start(self) -> TrainingState:
        detector, _ = starting_detector(self.task.train, 1, self.init_from, self.scratch / LEDGER)
        with torch.random.fork_rng():
            torch.manual_seed(self.seed)
            learner = SimSiam(detector)
        freeze_stages(learner.detector, self.solver.frozen_stages)
        for name, weight in learner.detector.named_parameters():
            if learner.detector.part_of(name) != "backbone":
                weight.requires_grad_(False)
        learner.to(self.device)
        learning = learning_weights(learner)
        optimizer = adamw(decay_groups(list(learning.values()), 1.0, self.solver.weight_decay), self.solver)
        average = [weight.detach().clone() for weight in learning.values()]
        return TrainingState(learner, optimizer, learning, average, backbone_goals={})

    def batches(self, start: int, seed: int) -> Generator[Batch]:
        return in_background(ViewPairs(self.task, self.dataset, seed).batch, start, self.solver)

    def batch_of(self, item: Batch, state: TrainingState) -> Batch:
        return item.to(self.device)

    def finish(self, state: TrainingState) -> Trained:
        learner = state.detector
        assert isinstance(learner, SimSiam)
        tensors = trained_tensors(state).items()
        of_detector = {name.removeprefix(PREFIX): tensor for name, tensor in tensors if name.startswith(PREFIX)}
        path = self.scratch / "weights.safetensors"
        save_weights(path, Weights(self.task.train.detector.family, 1, of_detector, form=learner.detector.resnet_form))
        return Trained(path, self.solver.iterations, ledger_of(self.init_from, self.scratch))


class ViewPairs:
    """Batches of views: of every image one in the first half, one in the second."""

    def __init__(self, task: PretrainTask, dataset: Dataset, seed: int) -> None:
        self.task, self.seed = task, seed
        detector, solver = task.train.detector, task.train.solver
        self.input_size = (detector.input_width_px, detector.input_height_px)
        self.image_count = solver.images_per_batch // 2
        # A view of a quarter of the image enlarges it twice.
        zoom = AugmentationConfig(max_zoom=task.min_view_area**-0.5)
        of_images = SolverConfig(images_per_batch=self.image_count, augmentation=zoom)
        self.images = TrainingBatches(dataset, input_size=self.input_size, solver=of_images, seed=seed)

    def batch(self, iteration: int) -> Batch:
        positions = batch_positions(self.seed, iteration, self.image_count, self.images.repeats)
        slots = range(2 * self.image_count)
        changes = (np.random.default_rng([self.seed, CHANGE_STREAM, iteration, slot]) for slot in slots)
        views = [self.view(position, rng) for position, rng in zip(positions * 2, changes, strict=True)]
        return Batch(torch.from_numpy(np.stack(views)), ())

    def view(self, position: int, rng: np.random.Generator) -> Pixels:
        image = self.images.decoded(position)
        crop = draw_crop(rng, image.size, self.input_size, self.task.min_view_area)
        return change_appearance(view_pixels(image, crop), rng)


def check_views(solver: SolverConfig) -> None:
    views, parts = solver.images_per_batch, solver.gradient_accumulation
    if views < 4 or views % 2:
        raise CasslError(
            "CONFIG_INVALID",
            f"`images_per_batch` is {views}, but pretraining needs an even number of views, at least 4.",
            "Change `images_per_batch` of the warm-up's solver.",
        )
    assert parts == 1, "the views of an image belong into one part"
