"""Training as a generator of events. Closing it cancels."""

import threading
import time
from collections import defaultdict
from collections.abc import Generator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from cassl.v1.task_pb2 import SolverConfig

from cassl_worker import distributed
from cassl_worker.checkpoint import Course, TrainingState, load_checkpoint, save_checkpoint
from cassl_worker.errors import CasslError
from cassl_worker.iteration import training_step
from cassl_worker.recipe import Recipe
from cassl_worker.records import Checkpoint, Event, Progress, RolledBack, Started
from cassl_worker.sampling import sampling_seed
from cassl_worker.solver import changed, learning_rate_at, peak_learning_rate

PROGRESS_ITERATIONS = 10
PROGRESS_SECONDS = 1.0
"""Progress is reported after so many iterations or seconds, whichever comes first."""
MAX_ROLLBACKS = 1
SEED_STRIDE = 1 << 32
"""Seeds of tasks are smaller, so that each rollback has random numbers of its own."""
LAST_CHECKPOINT, STARTING_CHECKPOINT = "last-checkpoint.pt", "starting-checkpoint.pt"


def follow(
    recipe: Recipe[Any], *, scratch: Path, resume_from: Path | None, pause: threading.Event | None = None
) -> Generator[Event]:
    """Trains by a recipe.

    On the same CPU the same task gives the same weights, bit for bit, also if it goes on from one of its checkpoints.
    A training that diverges goes on once from its last checkpoint, more carefully; after that it is TRAINING_DIVERGED.

    Processes that are joined (distributed.py) each call this, with what differs between them only their device and
    scratch. They train what one process would, up to rounding and to what detectors draw. Only the first one gives
    events and writes files; all end with it.

    Args:
        scratch: folder for the files of the events.
        resume_from: file of a Checkpoint of the same task; only the first process's counts.
        pause: once it is set in any process, training ends after the iteration under way with a Checkpoint instead of
            Trained.
    """
    events = follow_together(recipe, scratch, resume_from, pause)
    with closing(events):
        for event in events:
            if distributed.is_first():
                yield event


def follow_together(
    recipe: Recipe[Any], scratch: Path, resume_from: Path | None, pause: threading.Event | None
) -> Generator[Event]:
    """As `follow`. What it gives in processes other than the first is without meaning, and files are not there."""
    check_shares(recipe)
    last, rollbacks, why = scratch / LAST_CHECKPOINT, 0, ""
    try:
        while True:
            state = recipe.start()
            start = distributed.copy_of(last if last.exists() else resume_from, scratch / STARTING_CHECKPOINT)
            course = Course() if start is None else load_checkpoint(start, state)
            course = replace(course, rollbacks=max(course.rollbacks, rollbacks))
            yield RolledBack(why, course.iteration) if why else started(recipe, course.iteration)
            try:
                is_done = yield from train_from(course, recipe, state, scratch, pause)
                break
            except CasslError as error:
                if error.reason != "TRAINING_DIVERGED" or course.rollbacks == MAX_ROLLBACKS:
                    raise
                rollbacks, why = course.rollbacks + 1, error.message
    finally:
        last.unlink(missing_ok=True)
        (scratch / STARTING_CHECKPOINT).unlink(missing_ok=True)
    if is_done and distributed.is_first():
        yield recipe.finish(state)


def started(recipe: Recipe[Any], iteration: int) -> Started:
    shares = tuple(
        sum(len(distributed.share_of(piece, rank)) for piece in recipe.pieces)
        for rank in range(distributed.process_count())
    )
    count, rate = recipe.solver.images_per_batch, peak_learning_rate(recipe.solver)
    return Started(recipe.what, iteration, str(recipe.device), count, shares, rate)


def check_shares(recipe: Recipe[Any]) -> None:
    """CONFIG_INVALID where a process would have no image of a batch."""
    if (count := distributed.process_count()) > recipe.most_processes:
        raise CasslError(
            "CONFIG_INVALID",
            f"{count} processes are to train together, but this training can be divided over at most "
            f"{recipe.most_processes}.",
            "Give it fewer processes, or raise `images_per_batch`.",
        )


def train_from(
    course: Course, recipe: Recipe[Any], state: TrainingState, scratch: Path, pause: threading.Event | None
) -> Generator[Event, None, bool]:
    """Changes `state` up to the last iteration. Returns whether that was reached; TRAINING_DIVERGED."""
    seed, solver = recipe.seed + course.rollbacks * SEED_STRIDE, careful(recipe.solver, course.rollbacks)
    meter = Meter(course.iteration, solver)
    with closing(recipe.batches(course.iteration, seed)) as batches:
        for iteration, item in enumerate(batches, course.iteration):
            torch.manual_seed(sampling_seed(seed, iteration, distributed.process_rank()))
            losses = training_step(iteration, recipe.batch_of(item, state), state, solver)
            done = iteration + 1
            if (progress := meter.add(done, losses)) is not None:
                yield progress
            if done == solver.iterations:
                break
            is_paused = distributed.any_process(pause is not None and pause.is_set())
            is_due = is_paused or done % solver.checkpoint_every_iterations == 0
            if is_due and distributed.is_first():
                yield save(state, replace(course, iteration=done), scratch)
            if is_paused:
                return False
    return True


def careful(solver: SolverConfig, rollbacks: int) -> SolverConfig:
    """The solver with half the learning rate for each rollback."""
    return changed(solver, learning_rate=solver.learning_rate / 2**rollbacks)


def save(state: TrainingState, course: Course, scratch: Path) -> Checkpoint:
    path, last = scratch / f"checkpoint-{course.iteration}.pt", scratch / LAST_CHECKPOINT
    save_checkpoint(path, state, course)
    # The receiver of the checkpoint deletes its file.
    last.unlink(missing_ok=True)
    last.hardlink_to(path)
    return Checkpoint(course.iteration, path)


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
        images, rate = self.solver.images_per_batch, learning_rate_at(iteration - 1, self.solver)
        return Progress(iteration, total, means, rate, count * images / seconds, images, distributed.process_count())
