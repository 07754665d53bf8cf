"""From leases to the torch side and back: fetches what a task needs, does it, stores what it leaves.

torch is imported by the functions, because loading it takes seconds that an idle worker need not spend.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from cassl.v1.task_pb2 import (
    ExportOutput,
    ExportTask,
    PredictOutput,
    PredictTask,
    TaskOutput,
    TrainOutput,
    TrainTask,
)
from cassl.v1.worker_service_pb2 import (
    CheckpointSaved,
    Lease,
    LogLine,
    PredictProgress,
    TaskEvent,
    TrainProgress,
)

from cassl_worker.artifacts import Artifacts
from cassl_worker.error_details import cancelled_error
from cassl_worker.errors import CasslError
from cassl_worker.frames import ShardSender

if TYPE_CHECKING:
    from cassl_worker.data import Dataset
    from cassl_worker.train import Checkpoint, Progress, Trained

Event = TypeVar("Event")


@dataclass(frozen=True)
class TaskContext:
    """What the session gives a task.

    Attributes:
        open_sender: connects to the data plane.
        emit: tells the controller what happens; adds the attempt.
        cancelled: once it is set, the task ends at its next event by raising CANCELLED.
        scratch: an empty folder, removed after the task.
    """

    lease: Lease
    artifacts: Artifacts
    open_sender: Callable[[], ShardSender]
    emit: Callable[[TaskEvent], None]
    cancelled: threading.Event
    scratch: Path

    def log(self, text: str) -> None:
        self.emit(TaskEvent(log=LogLine(level="info", text=text)))


def run_task(context: TaskContext) -> TaskOutput:
    task = context.lease.task
    match task.WhichOneof("kind"):
        case "train":
            return TaskOutput(train=run_train(task.train, context))
        case "predict":
            return TaskOutput(predict=run_predict(task.predict, context))
        case "export":
            return TaskOutput(export=run_export(task.export, context))
        case _:
            raise CasslError(
                "VERSION_MISMATCH",
                f"Task {context.lease.task_attempt.task_id} is of no kind that this worker knows.",
                "Install the same version of cassl on both sides.",
            )


def run_train(task: TrainTask, context: TaskContext) -> TrainOutput:
    from cassl_worker.device import pick_device
    from cassl_worker.train import Checkpoint, Progress, train

    artifacts, lease, device = context.artifacts, context.lease, pick_device()
    dataset = fetch_dataset(task.dataset, context)
    init_from = artifacts.fetch(task.init_from.weights) if task.HasField("init_from") else None
    resume_from = artifacts.fetch(lease.resume_from.sha256) if lease.HasField("resume_from") else None
    start = "from a checkpoint" if resume_from is not None else "from iteration 0"
    context.log(f"Training on {len(dataset.images)} images {start}, device {device}.")
    events = train(task, dataset, device=device, scratch=context.scratch, init_from=init_from, resume_from=resume_from)
    output = TrainOutput()
    with closing(events):
        for event in until_cancelled(events, context.cancelled):
            if isinstance(event, Progress):
                context.emit(TaskEvent(train_progress=to_train_progress(event)))
            elif isinstance(event, Checkpoint):
                context.emit(TaskEvent(checkpoint_saved=store_checkpoint(event, artifacts)))
            else:
                output = store_trained(event, artifacts)
    return output


def run_predict(task: PredictTask, context: TaskContext) -> PredictOutput:
    """Counts what this attempt predicted; the shards that were committed before are the controller's to count."""
    from cassl_worker.device import pick_device
    from cassl_worker.predict import predict

    device, committed = pick_device(), frozenset(context.lease.committed_shards)
    dataset = fetch_dataset(task.dataset, context)
    weights = context.artifacts.fetch(task.weights)
    total = len(dataset.images)
    done = committed_images(committed, task.predict.shard_size, total)
    context.log(f"Predicting on {total - done} of {total} images, device {device}.")
    output = PredictOutput()
    shards = predict(task, dataset, weights=weights, device=device, skip_shards=committed)
    with closing(shards), context.open_sender() as sender:
        since = time.monotonic()
        for shard in until_cancelled(shards, context.cancelled):
            sender.send(shard)
            output.image_count += shard.image_count
            output.box_count += shard.box_count
            speed = output.image_count / (time.monotonic() - since)
            progress = PredictProgress(
                images_done=done + output.image_count, total_images=total, images_per_second=speed
            )
            context.emit(TaskEvent(predict_progress=progress))
        sender.flush()
    return output


def run_export(task: ExportTask, context: TaskContext) -> ExportOutput:
    from cassl_worker.export import export_onnx

    dataset = fetch_dataset(task.dataset, context)
    weights = context.artifacts.fetch(task.weights)
    out = context.scratch / "model.onnx"
    export_onnx(task, dataset.categories, weights=weights, out=out)
    return ExportOutput(onnx=context.artifacts.store(out))


def fetch_dataset(sha256: str, context: TaskContext) -> "Dataset":
    from cassl_worker.data import read_dataset

    return read_dataset(context.artifacts.fetch(sha256), Path(context.lease.image_root))


def until_cancelled(events: Iterator[Event], cancelled: threading.Event) -> Iterator[Event]:
    """Passes events on. Raises CANCELLED at the first that comes after the task was cancelled."""
    for event in events:
        if cancelled.is_set():
            raise cancelled_error()
        yield event


def store_checkpoint(checkpoint: "Checkpoint", artifacts: Artifacts) -> CheckpointSaved:
    ref = artifacts.store(checkpoint.path)
    checkpoint.path.unlink()
    return CheckpointSaved(iteration=checkpoint.iteration, checkpoint=ref)


def store_trained(trained: "Trained", artifacts: Artifacts) -> TrainOutput:
    ledger = trained.transplant_ledger
    return TrainOutput(
        weights=artifacts.store(trained.weights),
        iterations=trained.iterations,
        transplant_ledger=artifacts.store(ledger) if ledger is not None else None,
    )


def to_train_progress(progress: "Progress") -> TrainProgress:
    return TrainProgress(
        iteration=progress.iteration,
        total_iterations=progress.total_iterations,
        losses=progress.losses,
        learning_rate=progress.learning_rate,
        images_per_second=progress.images_per_second,
    )


def committed_images(shards: frozenset[int], shard_size: int, image_count: int) -> int:
    """Images in the shards; the last shard of a dataset may be smaller than the others."""
    return sum(min(shard_size, image_count - shard * shard_size) for shard in shards)
