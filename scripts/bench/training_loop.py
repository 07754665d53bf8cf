"""What `npm run bench -- training-loop` measures, in one process: prints JSON.

The training loop of the worker and a bare one, as in torchvision's `references/detection/engine.py`, take turns on the
same batches in memory, with a detector of their own each. Then the loading of batches: decoding, augmentation and all,
by the one thread that does it in training.
"""

import json
import math
import statistics
import sys
import tempfile
import time
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from coco_reference import peak_mb
from defaults import light, solver
from pictures import HEIGHT_PX, WIDTH_PX, write_pictures

from cassl_worker.batches import Batch, TrainingBatches
from cassl_worker.checkpoint import Course, TrainingState
from cassl_worker.data import Annotation, Category, Dataset, ImageRecord
from cassl_worker.detectors import build_detector
from cassl_worker.detectors.interface import Detector
from cassl_worker.device import pick_device
from cassl_worker.recipe import Recipe, starting_state
from cassl_worker.records import Trained
from cassl_worker.solver import build_optimizer, freeze_stages
from cassl_worker.train import train_from

IMAGES, OBJECTS = 64, 8
BATCHES, TURN_ITERATIONS, WARM_UP_ITERATIONS = 8, 4, 3
INPUT = (256, 192)
SOLVER = solver(1 << 20, lr_ramp_iterations=1 << 19)


def main(turns: int) -> None:
    """turns: of each loop."""
    with tempfile.TemporaryDirectory() as folder:
        dataset = write_dataset(Path(folder))
        batches = TrainingBatches(dataset, input_size=INPUT, solver=SOLVER, seed=0)
        loaded, loading = timed_loading(batches)
        ours, bare = OurLoop(Path(folder)), BareLoop()
        for loop in (ours, bare):
            loop.train(loaded[:WARM_UP_ITERATIONS])
        seconds: dict[str, list[float]] = {"ours": [], "bare": []}
        for turn in range(turns):
            start = turn * TURN_ITERATIONS % BATCHES
            # Who comes first changes, so that neither always has the warmer caches.
            for name, loop in (("ours", ours), ("bare", bare))[:: 1 if turn % 2 == 0 else -1]:
                since = time.perf_counter()
                loop.train(loaded[start : start + TURN_ITERATIONS])
                seconds[name].append((time.perf_counter() - since) / TURN_ITERATIONS)
    pairs = [theirs / mine for mine, theirs in zip(seconds["ours"], seconds["bare"], strict=True)]
    result = {name: statistics.median(values) for name, values in seconds.items()}
    print(json.dumps({**result, "ratio": statistics.median(pairs), "loading": loading, "peak_mb": peak_mb()}))


def write_dataset(folder: Path) -> Dataset:
    rng, images = np.random.default_rng(0), []
    for at, path in enumerate(write_pictures(folder, IMAGES)):
        corners = rng.integers(0, (WIDTH_PX - 120, HEIGHT_PX - 120), (OBJECTS, 2))
        annotations = tuple(Annotation((int(x), int(y), 100, 80), 0, 8000, False) for x, y in corners)
        images.append(ImageRecord(at + 1, path.name, "", WIDTH_PX, HEIGHT_PX, annotations))
    return Dataset((Category(1, "object"),), tuple(images), folder)


def detector() -> Detector:
    torch.manual_seed(0)
    return build_detector(light(INPUT), 1).to(pick_device())


def timed_loading(batches: TrainingBatches) -> tuple[list[Batch], float]:
    """Batches that show every image once, and how many images a second that took."""
    since = time.perf_counter()
    loaded = [batches.batch(iteration) for iteration in range(BATCHES)]
    return loaded, IMAGES / (time.perf_counter() - since)


class OurLoop(Recipe[Batch]):
    """The worker's training, on batches in memory."""

    def __init__(self, scratch: Path) -> None:
        self.scratch, self.iteration = scratch, 0
        self.given: Iterator[Batch] = iter(())
        self.seed, self.solver = 0, SOLVER
        self.state = self.start()

    def start(self) -> TrainingState:
        return starting_state(detector(), self.solver, {})

    def batches(self, start: int, seed: int) -> Generator[Batch]:
        yield from self.given

    def batch_of(self, item: Batch, state: TrainingState) -> Batch:
        return item.to(pick_device())

    def finish(self, state: TrainingState) -> Trained:
        raise NotImplementedError("a benchmark does not finish")

    def train(self, batches: Sequence[Batch]) -> None:
        self.given = iter(batches)
        deque(train_from(Course(self.iteration), self, self.state, self.scratch, None), maxlen=0)
        self.iteration += len(batches)


class BareLoop:
    """Without clipping, moving average and metrics over time; with the same optimizer."""

    def __init__(self) -> None:
        self.detector = detector()
        freeze_stages(self.detector, SOLVER.frozen_stages)
        self.optimizer = build_optimizer(self.detector, SOLVER)
        self.schedule = torch.optim.lr_scheduler.LinearLR(self.optimizer, 0.001, total_iters=1000)

    def train(self, batches: Sequence[Batch]) -> None:
        for batch in batches:
            moved = batch.to(pick_device())
            losses = self.detector.losses(moved.images, moved.targets)
            total = torch.stack(list(losses.values())).sum()
            if not math.isfinite(total.item()):
                raise ArithmeticError("the loss is not finite")
            self.optimizer.zero_grad()
            total.backward()  # type: ignore[no-untyped-call]
            self.optimizer.step()
            self.schedule.step()


if __name__ == "__main__":
    main(int(sys.argv[1]))
