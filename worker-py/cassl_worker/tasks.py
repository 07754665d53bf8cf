"""From leases to the torch side and back: fetches what a task needs, does it, stores what it leaves.

torch is imported by the functions, because loading it takes seconds that an idle worker need not spend.
"""

import threading
import time
from collections.abc import Callable, Generator, Iterator
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
from cassl_worker.records import Checkpoint, Progress, RolledBack, Shard, Started, Trained
from cassl_worker.records import Event as TrainingEvent

if TYPE_CHECKING:
    from cassl_worker.data import Dataset
    from cassl_worker.training import Training

Event = TypeVar("Event")


class HandBack(Exception):
    """The task was to pause. All that it has done is stored, another worker can go on from there."""


@dataclass(frozen=True)
class TaskContext:
    """What the session gives a task.

    Attributes:
        open_sender: connects to the data plane.
        emit: tells the controller what happens; adds the attempt.
        cancelled: once it is set, the task ends at its next event by raising CANCELLED.
        pause: once it is set, the task stores what it has done and ends by raising HandBack.
        scratch: an empty folder, removed after the task.
        processes: that a training is divided over, where it can be. None: one for each GPU.
    """

    lease: Lease
    artifacts: Artifacts
    open_sender: Callable[[], ShardSender]
    emit: Callable[[TaskEvent], None]
    cancelled: threading.Event
    pause: threading.Event
    scratch: Path
    processes: int | None = None

    def log(self, text: str, level: str = "info") -> None:
        """level: `info` or `warning`."""
        self.emit(TaskEvent(log=LogLine(level=level, text=text)))


def run_task(context: TaskContext) -> TaskOutput:
    task = context.lease.task
    match task.WhichOneof("kind"):
        case "train" | "pretrain" | "mean_teacher":
            return TaskOutput(train=run_training(context))
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


def run_training(context: TaskContext) -> TrainOutput:
    """Of any kind, in as many processes as the worker has and the task can be divided over."""
    from cassl_worker.predict import kept_detector
    from cassl_worker.train_processes import train_in_processes
    from cassl_worker.training import process_count_of, train_alone

    kept_detector.cache_clear()
    training, count = fetch_training(context), process_count_of(context.lease.task, context.processes)
    if count == 1:
        return follow_training(train_alone(training, context.scratch, context.pause), context)
    return follow_training(train_in_processes(training, count, context.scratch, context.pause), context)


def follow_training(events: Generator[TrainingEvent], context: TaskContext) -> TrainOutput:
    """Reports what a training says, and stores what it leaves."""
    with closing(events):
        for event in until_cancelled(events, context.cancelled):
            match event:
                case Started():
                    context.log(started_text(event))
                case Progress():
                    context.emit(TaskEvent(train_progress=to_train_progress(event)))
                case Checkpoint():
                    keep_checkpoint(event, context)
                case RolledBack():
                    context.log(f"{event.why} It goes on once more from iteration {event.to_iteration}.", "warning")
                case Trained():
                    return store_trained(event, context.artifacts)
    raise HandBack


def fetch_training(context: TaskContext) -> "Training":
    from cassl_worker.training import Training, train_task_of

    task, lease, fetch = context.lease.task, context.lease, context.artifacts.fetch
    train = train_task_of(task)
    return Training(
        task=task.SerializeToString(),
        manifest=fetch(train.dataset),
        image_root=Path(lease.image_root),
        image_cache=image_cache_of(context),
        labels=fetch(train.labels.sha256) if train.HasField("labels") else None,
        unlabeled=fetch(task.mean_teacher.unlabeled) if task.HasField("mean_teacher") else None,
        init_from=fetch(train.init_from.weights) if train.HasField("init_from") else None,
        resume_from=fetch(lease.resume_from.sha256) if lease.HasField("resume_from") else None,
    )


def started_text(started: Started) -> str:
    start = "from iteration 0" if started.iteration == 0 else f"from the checkpoint of iteration {started.iteration}"
    text = (
        f"{started.what} {start}, device {started.device}, {started.images_per_batch} images a batch, "
        f"peak learning rate {started.learning_rate:.4g}"
    )
    shares = started.images_per_process
    if len(shares) == 1:
        return f"{text}."
    each = str(shares[0]) if len(set(shares)) == 1 else f"{min(shares)} or {max(shares)}"
    return f"{text}. {len(shares)} processes train together, each on {each} of these images."


def run_predict(task: PredictTask, context: TaskContext) -> PredictOutput:
    """Counts what this lease predicted; what all leases together have committed is the controller's to count."""
    from cassl_worker.device import pick_device
    from cassl_worker.predict import predict

    device, due = pick_device(), context.lease.shards
    dataset = fetch_dataset(task.dataset, context)
    weights = context.artifacts.fetch(task.weights)
    shards = predict(task, dataset, weights=weights, device=device, shards=due)
    return send_shards(shards, task, len(dataset.images), context)


def send_shards(shards: Generator[Shard], task: PredictTask, image_count: int, context: TaskContext) -> PredictOutput:
    """image_count: of the dataset."""
    due = context.lease.shards
    total = sum(images_of_shard(shard, task.predict.shard_size, image_count) for shard in due)
    output = PredictOutput()
    with closing(shards), context.open_sender() as sender:
        since = time.monotonic()
        for shard in until_cancelled(shards, context.cancelled):
            sender.send(shard)
            output.image_count += shard.image_count
            output.box_count += shard.box_count
            speed = output.image_count / (time.monotonic() - since)
            progress = PredictProgress(images_done=output.image_count, total_images=total, images_per_second=speed)
            context.emit(TaskEvent(predict_progress=progress))
            if context.pause.is_set() and output.image_count < total:
                sender.flush()
                raise HandBack
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
    from cassl_worker.data import kept_dataset

    return kept_dataset(context.artifacts.fetch(sha256), Path(context.lease.image_root), image_cache_of(context))


def image_cache_of(context: TaskContext) -> Path:
    return context.artifacts.cache.folder / "images"


def until_cancelled(events: Iterator[Event], cancelled: threading.Event) -> Iterator[Event]:
    """Passes events on. Raises CANCELLED at the first that comes after the task was cancelled."""
    for event in events:
        if cancelled.is_set():
            raise cancelled_error()
        yield event


def keep_checkpoint(checkpoint: Checkpoint, context: TaskContext) -> None:
    """Stores it. Where the controller is away, training goes on without: the next checkpoint will do."""
    artifacts = context.artifacts
    store = artifacts.store if context.pause.is_set() else artifacts.try_store
    if (ref := store(checkpoint.path)) is not None:
        context.emit(TaskEvent(checkpoint_saved=CheckpointSaved(iteration=checkpoint.iteration, checkpoint=ref)))
    checkpoint.path.unlink()


def store_trained(trained: Trained, artifacts: Artifacts) -> TrainOutput:
    ledger = trained.transplant_ledger
    return TrainOutput(
        weights=artifacts.store(trained.weights),
        iterations=trained.iterations,
        transplant_ledger=artifacts.store(ledger) if ledger is not None else None,
    )


def to_train_progress(progress: Progress) -> TrainProgress:
    return TrainProgress(
        iteration=progress.iteration,
        total_iterations=progress.total_iterations,
        losses=progress.losses,
        learning_rate=progress.learning_rate,
        images_per_second=progress.images_per_second,
        images_per_batch=progress.images_per_batch,
        processes=progress.processes,
    )


def images_of_shard(shard: int, shard_size: int, image_count: int) -> int:
    """The last shard of a dataset may be smaller than the others."""
    return min(shard_size, image_count - shard * shard_size)
