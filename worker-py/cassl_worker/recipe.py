"""What is trained, and on what."""

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Mapping
from pathlib import Path
from typing import Generic, TypeVar

import torch
from torch import Tensor

from cassl.v1.task_pb2 import SolverConfig, TrainTask

from cassl_worker.batches import Batch, TrainingBatches
from cassl_worker.checkpoint import TrainingState, Weights, replacing, save_weights, state_of
from cassl_worker.data import Dataset, check_masks
from cassl_worker.detectors import build_detector, gives_masks, load
from cassl_worker.detectors.interface import Detector
from cassl_worker.errors import CasslError
from cassl_worker.foreign_weights import starting_weights
from cassl_worker.images import prefetch
from cassl_worker.records import Trained
from cassl_worker.solver import backbone_weights, build_optimizer, freeze_stages, learning_weights
from cassl_worker.transplant import transplant

BATCHES_AHEAD = 4
LEDGER = "transplant_ledger.json"
LOADING_THREADS = 1
"""One thread prepares a batch in a fraction of the time that a training iteration takes."""

Item = TypeVar("Item")
"""What is prepared in the background for an iteration."""


class Recipe(ABC, Generic[Item]):
    """What is trained, and on what: all that differs between the kinds of training.

    Attributes:
        what: is done, for the log.
        seed: of everything random.
    """

    what: str
    solver: SolverConfig
    seed: int
    device: torch.device

    @property
    def most_processes(self) -> int:
        """How many can train it together (distributed.py)."""
        return most_processes(self.solver)

    @property
    def pieces(self) -> tuple[int, ...]:
        """The numbers of images that make up a batch; each is divided over the processes for itself."""
        parts = self.solver.gradient_accumulation
        return (self.solver.images_per_batch // parts,) * parts

    @abstractmethod
    def start(self) -> TrainingState:
        """What is trained as it is at iteration 0, on its device."""

    @abstractmethod
    def batches(self, start: int, seed: int) -> Generator[Item]:
        """This process's images of the iterations from `start` on, prepared in the background."""

    @abstractmethod
    def batch_of(self, item: Item, state: TrainingState) -> Batch:
        """What is learned from, on the device."""

    @abstractmethod
    def finish(self, state: TrainingState) -> Trained:
        """Writes what was trained."""


class DetectorRecipe(Recipe[Batch]):
    """A detector for all classes of a dataset.

    DATASET_EMPTY if it has no images, ANNOTATIONS_INVALID if masks are to be learned and an object has none.

    Args:
        scratch: folder for weights and ledger.
        init_from: weights file that `task.init_from` names.
    """

    def __init__(
        self, task: TrainTask, dataset: Dataset, device: torch.device, scratch: Path, init_from: Path | None
    ) -> None:
        refuse_no_images(dataset)
        if gives_masks(task.detector.family):
            check_masks(dataset)
        self.task, self.solver, self.seed = task, task.solver, task.seed
        self.dataset, self.device, self.scratch, self.init_from = dataset, device, scratch, init_from
        self.what = f"Training on {len(dataset.images)} images"

    def start(self) -> TrainingState:
        detector, backbone_goals = starting_detector(
            self.task, self.dataset.class_count, self.init_from, self.scratch / LEDGER
        )
        return starting_state(detector.to(self.device), self.solver, backbone_goals)

    def batches(self, start: int, seed: int) -> Generator[Batch]:
        return in_background(batch_maker(self.task, self.dataset, seed), start, self.solver)

    def batch_of(self, item: Batch, state: TrainingState) -> Batch:
        return item.to(self.device)

    def finish(self, state: TrainingState) -> Trained:
        path, family = self.scratch / "weights.safetensors", self.task.detector.family
        detector = state.detector
        assert isinstance(detector, Detector)
        form = detector.resnet_form
        save_weights(path, Weights(family, self.dataset.class_count, trained_tensors(state), form=form))
        return Trained(path, self.solver.iterations, ledger_of(self.init_from, self.scratch))


def batch_maker(task: TrainTask, dataset: Dataset, seed: int) -> Callable[[int], Batch]:
    """What makes the batch of an iteration."""
    detector, solver = task.detector, task.solver
    if solver.augmentation.detectron2_mapper:
        mapped = load("cassl_worker.detectors.detectron2.mapped_batches", detector.family).MappedBatches
        of_mapper: Callable[[int], Batch] = mapped(dataset, detector, solver, seed).batch
        return of_mapper
    input_size = (detector.input_width_px, detector.input_height_px)
    masks = gives_masks(detector.family)
    return TrainingBatches(dataset, input_size=input_size, solver=solver, seed=seed, masks=masks).batch


def most_processes(solver: SolverConfig) -> int:
    """Each has at least one image of every part of a batch."""
    return solver.images_per_batch // solver.gradient_accumulation


def in_background(prepare: Callable[[int], Item], start: int, solver: SolverConfig) -> Generator[Item]:
    """What is prepared for each iteration from `start` on, ahead of its turn."""
    return prefetch(prepare, range(start, solver.iterations), ahead=BATCHES_AHEAD, threads=LOADING_THREADS)


def ledger_of(init_from: Path | None, scratch: Path) -> Path | None:
    """Of the transplant, where there was one."""
    return None if init_from is None else scratch / LEDGER


def refuse_no_images(dataset: Dataset) -> None:
    if not dataset.images:
        raise CasslError("DATASET_EMPTY", "The training set has no images.", "Add images to it.")


def starting_detector(
    task: TrainTask, class_count: int, init_from: Path | None, ledger_path: Path
) -> tuple[Detector, dict[str, Tensor]]:
    """The detector at iteration 0, and what its backbone is pulled towards. Writes the ledger of a transplant."""
    with torch.random.fork_rng():
        torch.manual_seed(task.seed)
        detector = build_detector(task.detector, class_count)
    if task.solver.augmentation.multi_scale > 0 and not detector.takes_any_size:
        raise CasslError(
            "CONFIG_INVALID",
            f"The backbone `{task.detector.backbone}` takes inputs of one size only, so `multi_scale` cannot be "
            f"{task.solver.augmentation.multi_scale:.4g}.",
            "Set `multi_scale: 0`, or choose a convolutional backbone.",
        )
    backbone_goals = backbone_weights(detector) if task.solver.backbone_pull > 0 else {}
    if init_from is not None:
        given = starting_weights(init_from, detector, task.detector)
        ledger = transplant(detector, class_count, given, task.detector.family, task.init_from)
        with replacing(ledger_path) as partial:
            partial.write_text(json.dumps(ledger.as_json(), indent=1))
    return detector, backbone_goals


def starting_state(detector: Detector, solver: SolverConfig, backbone_goals: Mapping[str, Tensor]) -> TrainingState:
    freeze_stages(detector, solver.frozen_stages)
    learning = learning_weights(detector)
    average = [weight.detach().clone() for weight in learning.values()]
    goals = {name: goal.to(learning[name].device) for name, goal in backbone_goals.items() if name in learning}
    return TrainingState(detector, build_optimizer(detector, solver), learning, average, goals)


def trained_tensors(state: TrainingState) -> dict[str, Tensor]:
    return state_of(state.detector) | dict(zip(state.learning, state.average, strict=True))
