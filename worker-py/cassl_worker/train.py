"""Training as a generator of events. Closing it cancels."""

import json
import math
import threading
import time
from collections import defaultdict
from collections.abc import Generator, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from cassl.v1.task_pb2 import SolverConfig, TrainTask

from cassl_worker.batches import Batch, TrainingBatches
from cassl_worker.checkpoint import (
    Course,
    TrainingState,
    Weights,
    load_checkpoint,
    replacing,
    save_checkpoint,
    save_weights,
    state_of,
)
from cassl_worker.data import Dataset, check_masks
from cassl_worker.detectors import build_detector, gives_masks
from cassl_worker.detectors.interface import Detector
from cassl_worker.device import autocast
from cassl_worker.errors import CasslError
from cassl_worker.foreign_weights import starting_weights
from cassl_worker.images import prefetch
from cassl_worker.records import Checkpoint, Event, Progress, RolledBack, Trained
from cassl_worker.sampling import sampling_seed
from cassl_worker.solver import (
    backbone_weights,
    build_optimizer,
    clip_gradients,
    freeze_stages,
    learning_rate_at,
    learning_weights,
    pull,
    set_learning_rate,
    update_average,
)
from cassl_worker.transplant import transplant

PROGRESS_ITERATIONS = 10
PROGRESS_SECONDS = 1.0
"""Progress is reported after so many iterations or seconds, whichever comes first."""
BATCHES_AHEAD = 4
MAX_ROLLBACKS = 1
SEED_STRIDE = 1 << 32
"""Seeds of tasks are smaller, so that each rollback has random numbers of its own."""
LAST_CHECKPOINT = "last-checkpoint.pt"
LOADING_THREADS = 1
"""One thread prepares a batch in a fraction of the time that a training iteration takes."""


def train(
    task: TrainTask,
    dataset: Dataset,
    *,
    device: torch.device,
    scratch: Path,
    init_from: Path | None,
    resume_from: Path | None,
    pause: threading.Event | None = None,
) -> Generator[Event]:
    """Trains a detector for all classes of the dataset.

    On the same CPU the same task gives the same weights, bit for bit, also if it goes on from one of its checkpoints.
    A training that diverges goes on once from its last checkpoint, more carefully; after that it is TRAINING_DIVERGED.

    Args:
        scratch: folder for the files of the events.
        init_from: weights file that `task.init_from` names.
        resume_from: file of a Checkpoint of the same task.
        pause: once it is set, training ends after the iteration under way with a Checkpoint instead of Trained.
    """
    if not dataset.images:
        raise CasslError("DATASET_EMPTY", "The training set has no images.", "Add images to it.")
    if gives_masks(task.detector.family):
        check_masks(dataset)
    solver, class_count = task.solver, dataset.class_count
    last, rollbacks, why = scratch / LAST_CHECKPOINT, 0, ""
    try:
        while True:
            detector, backbone_goals, ledger = starting_detector(task, class_count, init_from, scratch)
            state = starting_state(detector.to(device), solver, backbone_goals)
            start = last if last.exists() else resume_from
            course = Course() if start is None else load_checkpoint(start, state)
            course = replace(course, rollbacks=max(course.rollbacks, rollbacks))
            if why:
                yield RolledBack(why, course.iteration)
            try:
                is_done = yield from train_from(course, task, dataset, state, device, scratch, pause)
                break
            except CasslError as error:
                if error.reason != "TRAINING_DIVERGED" or course.rollbacks == MAX_ROLLBACKS:
                    raise
                rollbacks, why = course.rollbacks + 1, error.message
    finally:
        last.unlink(missing_ok=True)
    if is_done:
        path = scratch / "weights.safetensors"
        save_weights(path, Weights(task.detector.family, class_count, trained_tensors(state)))
        yield Trained(path, solver.iterations, ledger)


def train_from(
    course: Course,
    task: TrainTask,
    dataset: Dataset,
    state: TrainingState,
    device: torch.device,
    scratch: Path,
    pause: threading.Event | None,
) -> Generator[Event, None, bool]:
    """Changes `state` up to the last iteration. Returns whether that was reached; TRAINING_DIVERGED."""
    seed, solver = task.seed + course.rollbacks * SEED_STRIDE, careful(task.solver, course.rollbacks)
    meter = Meter(course.iteration, solver)
    with closing(batches_from(course.iteration, seed, task, dataset)) as batches:
        for iteration, batch in enumerate(batches, course.iteration):
            torch.manual_seed(sampling_seed(seed, iteration))
            losses = training_step(iteration, batch.to(device), state, solver)
            done = iteration + 1
            if (progress := meter.add(done, losses)) is not None:
                yield progress
            if done == solver.iterations:
                break
            is_paused = pause is not None and pause.is_set()
            if is_paused or done % solver.checkpoint_every_iterations == 0:
                yield save(state, replace(course, iteration=done), scratch)
            if is_paused:
                return False
    return True


def careful(solver: SolverConfig, rollbacks: int) -> SolverConfig:
    """The solver with half the learning rate for each rollback."""
    changed = SolverConfig()
    changed.CopyFrom(solver)
    changed.learning_rate = solver.learning_rate / 2**rollbacks
    return changed


def save(state: TrainingState, course: Course, scratch: Path) -> Checkpoint:
    path, last = scratch / f"checkpoint-{course.iteration}.pt", scratch / LAST_CHECKPOINT
    save_checkpoint(path, state, course)
    # The receiver of the checkpoint deletes its file.
    last.unlink(missing_ok=True)
    last.hardlink_to(path)
    return Checkpoint(course.iteration, path)


def starting_detector(
    task: TrainTask, class_count: int, init_from: Path | None, scratch: Path
) -> tuple[Detector, dict[str, Tensor], Path | None]:
    """The detector at iteration 0, what its backbone is pulled towards, and the ledger of its transplant."""
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
    if init_from is None:
        return detector, backbone_goals, None
    given = starting_weights(init_from, detector, task.detector)
    ledger = transplant(detector, class_count, given, task.detector.family, task.init_from)
    path = scratch / "transplant_ledger.json"
    with replacing(path) as partial:
        partial.write_text(json.dumps(ledger.as_json(), indent=1))
    return detector, backbone_goals, path


def starting_state(detector: Detector, solver: SolverConfig, backbone_goals: Mapping[str, Tensor]) -> TrainingState:
    freeze_stages(detector, solver.frozen_stages)
    learning = learning_weights(detector)
    average = [weight.detach().clone() for weight in learning.values()]
    goals = {name: goal.to(learning[name].device) for name, goal in backbone_goals.items() if name in learning}
    return TrainingState(detector, build_optimizer(detector, solver), learning, average, goals)


def batches_from(start: int, seed: int, task: TrainTask, dataset: Dataset) -> Generator[Batch]:
    """The batches of the iterations from `start` on, prepared in the background."""
    source = TrainingBatches(
        dataset,
        input_size=(task.detector.input_width_px, task.detector.input_height_px),
        solver=task.solver,
        seed=seed,
        masks=gives_masks(task.detector.family),
    )
    iterations = range(start, task.solver.iterations)
    return prefetch(source.batch, iterations, ahead=BATCHES_AHEAD, threads=LOADING_THREADS)


def training_step(iteration: int, batch: Batch, state: TrainingState, solver: SolverConfig) -> dict[str, float]:
    """Changes the weights once. Returns the losses before that, `total` included."""
    learning, learning_rate = list(state.learning.values()), learning_rate_at(iteration, solver)
    set_learning_rate(state.optimizer, learning_rate)
    state.optimizer.zero_grad()
    losses = add_gradients(batch, state.detector, solver)
    norm = clip_gradients(learning, solver.gradient_clip_norm).to(batch.images.device)
    # One transfer, because each waits for the device.
    *parts, total, norm_value = torch.stack([*losses.values(), torch.stack(list(losses.values())).sum(), norm]).tolist()
    if not math.isfinite(total) or not math.isfinite(norm_value):
        raise diverged(iteration + 1, total, norm_value, learning_rate)
    state.optimizer.step()
    pulled = [state.learning[name] for name in state.backbone_goals]
    share = learning_rate * solver.lr_factors.backbone * solver.backbone_pull
    pull(pulled, list(state.backbone_goals.values()), share)
    update_average(state.average, learning, iteration, solver.ema_decay)
    return dict(zip(losses, parts, strict=True)) | {"total": total}


def add_gradients(batch: Batch, detector: Detector, solver: SolverConfig) -> dict[str, Tensor]:
    """Computes the gradients of a batch, part by part. Returns the mean of each loss over the parts."""
    count, means = solver.gradient_accumulation, dict[str, Tensor]()
    height, width = batch.images.shape[1:3]
    if detector.input_size != (width, height):
        detector.fit_to((width, height))
    for part in batch.split(count):
        with autocast(solver.precision, part.images.device):
            losses = {name: loss / count for name, loss in detector.losses(part.images, part.targets).items()}
        torch.autograd.backward(torch.stack(list(losses.values())).sum())
        for name, loss in losses.items():
            means[name] = means.get(name, 0) + loss.detach()
    return means


def trained_tensors(state: TrainingState) -> dict[str, Tensor]:
    return state_of(state.detector) | dict(zip(state.learning, state.average, strict=True))


def diverged(iteration: int, loss: float, gradient_norm: float, learning_rate: float) -> CasslError:
    return CasslError(
        "TRAINING_DIVERGED",
        f"At iteration {iteration} the loss is {loss:.4g} and the gradient's norm {gradient_norm:.4g}, "
        f"with learning rate {learning_rate:.4g}.",
        "Lower `learning_rate` in the solver of the stage, or raise its `lr_ramp_iterations`.",
    )


class Meter:
    """Means over the iterations since the last report."""

    def __init__(self, iteration: int, solver: SolverConfig) -> None:
        self.solver = solver
        self.restart(iteration)

    def restart(self, iteration: int) -> None:
        self.since_iteration = iteration
        self.since_seconds = time.monotonic()
        self.sums: dict[str, float] = defaultdict(float)

    def add(self, iteration: int, losses: dict[str, float]) -> Progress | None:
        """Takes the losses of an iteration. Returns a report when one is due, and always at the last iteration."""
        for name, loss in losses.items():
            self.sums[name] += loss
        count, seconds = iteration - self.since_iteration, time.monotonic() - self.since_seconds
        total = self.solver.iterations
        if count < PROGRESS_ITERATIONS and seconds < PROGRESS_SECONDS and iteration < total:
            return None
        means = {name: value / count for name, value in self.sums.items()}
        self.restart(iteration)
        speed = count * self.solver.images_per_batch / seconds
        return Progress(iteration, total, means, learning_rate_at(iteration - 1, self.solver), speed)
