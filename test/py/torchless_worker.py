"""The worker without torch: what it learns and finds follows from hashes, and takes as long as it is told.

All else is the real worker: session, leases, artifacts, frames. Started like a Python by test/faults:

    torchless_worker.py -m cassl_worker --controller HOST:PORT ...

Environment: TORCHLESS_MS is the time of an image or a training iteration in ms. With TORCHLESS_READ images are fetched
and decoded before they are labelled. At an image whose file name contains TORCHLESS_POISON the process kills itself.
With TORCHLESS_CLOCK the wall clock jumps at every look at it.
"""

import hashlib
import os
import random
import shutil
import signal
import sys
import threading
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from cassl.v1.task_pb2 import ExportTask, PredictTask, Task

from cassl_worker.data import Category, Dataset
from cassl_worker.images import decode
from cassl_worker.records import Checkpoint, Progress, Shard, Started, Trained

SECONDS = float(os.environ.get("TORCHLESS_MS", "10")) / 1000
READS = "TORCHLESS_READ" in os.environ
POISON = os.environ.get("TORCHLESS_POISON", "")
MODEL = Path(__file__).parents[1] / "golden" / "detections-model.onnx"
BOXES_PER_IMAGE = 2


class KeptDetector:
    def cache_clear(self) -> None:
        pass


def predict(
    task: PredictTask, dataset: Dataset, *, weights: Path, device: str, shards: Sequence[int]
) -> Generator[Shard]:
    size = task.predict.shard_size
    model = weights.read_bytes()
    for shard in shards:
        positions = range(len(dataset.images))[shard * size : (shard + 1) * size]
        for at in positions:
            time.sleep(SECONDS)
            if READS:
                decode(dataset.images[at], dataset.root, dataset.remote)
            if POISON and POISON in dataset.images[at].file_name:
                print("the image is poison", file=sys.stderr, flush=True)
                os.kill(os.getpid(), signal.SIGKILL)
        yield Shard(shard, len(positions), BOXES_PER_IMAGE * len(positions), payload(dataset, positions, model))


def payload(dataset: Dataset, positions: range, model: bytes) -> bytes:
    """Two boxes in each image, which follow from the image's content and the weights."""
    boxes = []
    for at in positions:
        record = dataset.images[at]
        seed = int.from_bytes(hashlib.sha256(model + record.sha256.encode()).digest()[:8], "little")
        rng = np.random.default_rng(seed)
        half = np.array([record.width_px // 2, record.height_px // 2] * BOXES_PER_IMAGE).reshape(-1, 2)
        left_top = rng.integers(0, half)
        boxes.append(np.concatenate([left_top, left_top + rng.integers(1, half)], axis=1))
    count = len(positions)
    columns = [
        np.array(positions, dtype="<i4"),
        np.full(count, BOXES_PER_IMAGE, dtype="<i4"),
        np.concatenate(boxes).astype("<f4"),
        np.tile(np.array([0.9, 0.8], dtype="<f4"), count),
        np.zeros(BOXES_PER_IMAGE * count, dtype="<i4"),
    ]
    return b"".join(column.tobytes() for column in columns)


@dataclass(frozen=True)
class HashTraining:
    """As `cassl_worker.training.Training`."""

    task: bytes
    manifest: Path
    image_root: Path
    image_cache: Path
    labels: Path | None
    unlabeled: Path | None
    init_from: Path | None
    resume_from: Path | None


def train_alone(
    training: HashTraining, scratch: Path, pause: threading.Event
) -> Generator[Started | Progress | Checkpoint | Trained]:
    """The weights are a hash of everything that training has seen."""
    task, resume_from = Task.FromString(training.task).train, training.resume_from
    solver, count = task.solver, task.solver.images_per_batch
    start = hashlib.sha256(task.SerializeToString(deterministic=True)).hexdigest()
    state, done = resume_from.read_text().split() if resume_from is not None else (start, "0")
    yield Started("Training", int(done), "hash", count, (count,), solver.learning_rate)
    for iteration in range(int(done) + 1, solver.iterations + 1):
        time.sleep(SECONDS)
        state = hashlib.sha256(f"{state} {iteration}".encode()).hexdigest()
        yield Progress(
            iteration,
            solver.iterations,
            {"total": 1 / iteration},
            solver.learning_rate,
            1.0,
            solver.images_per_batch,
            1,
        )
        if iteration == solver.iterations:
            break
        if pause.is_set() or iteration % solver.checkpoint_every_iterations == 0:
            path = scratch / f"checkpoint-{iteration}"
            path.write_text(f"{state} {iteration}")
            yield Checkpoint(iteration, path)
        if pause.is_set():
            return
    weights = scratch / "weights"
    weights.write_text(state)
    yield Trained(weights, solver.iterations, None)


def export_onnx(task: ExportTask, categories: Sequence[Category], *, weights: Path, out: Path) -> None:
    shutil.copy(MODEL, out)


def install(name: str, **members: Any) -> None:
    module = ModuleType(name)
    vars(module).update(members)
    sys.modules[name] = module


def main() -> None:
    if "TORCHLESS_CLOCK" in os.environ:
        wall_clock = time.time
        time.time = lambda: wall_clock() + random.uniform(-1e5, 1e5)
    install("cassl_worker.device", pick_device=lambda: "hash")
    install("cassl_worker.predict", predict=predict, kept_detector=KeptDetector())
    install(
        "cassl_worker.training",
        Training=HashTraining,
        train_task_of=lambda task: task.train,
        process_count_of=lambda task, wanted: 1,
        train_alone=train_alone,
    )
    install("cassl_worker.train_processes", train_in_processes=None)
    install("cassl_worker.export", export_onnx=export_onnx)
    del sys.argv[1:3]
    from cassl_worker.__main__ import main as run

    run()


if __name__ == "__main__":
    main()
