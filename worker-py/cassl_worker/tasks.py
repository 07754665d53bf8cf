"""From leases to the torch side and back: fetches what a task needs, does it, stores what it leaves.

torch is imported by the functions, because loading it takes seconds that an idle worker need not spend.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from cassl.v1.task_pb2 import (
    ExportOutput,
    ExportTask,
    MeanTeacherTask,
    PredictOutput,
    PredictTask,
    PretrainTask,
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
from cassl_worker.records import Checkpoint, Progress, RolledBack, Trained

if TYPE_CHECKING:
    from cassl_worker.data import Dataset
    from cassl_worker.recipe import Recipe

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
    """

    lease: Lease
    artifacts: Artifacts
    open_sender: Callable[[], ShardSender]
    emit: Callable[[TaskEvent], None]
    cancelled: threading.Event
    pause: threading.Event
    scratch: Path

    def log(self, text: str, level: str = "info") -> None:
        """level: `info` or `warning`."""
        self.emit(TaskEvent(log=LogLine(level=level, text=text)))


def run_task(context: TaskContext) -> TaskOutput:
    task = context.lease.task
    match task.WhichOneof("kind"):
        case "train":
            return TaskOutput(train=run_train(task.train, context))
        case "pretrain":
            return TaskOutput(train=run_pretrain(task.pretrain, context))
        case "mean_teacher":
            return TaskOutput(train=run_mean_teacher(task.mean_teacher, context))
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
    from cassl_worker.recipe import DetectorRecipe

    dataset = fetch_training_set(task, context)
    recipe = DetectorRecipe(task, dataset, pick_device(), context.scratch, fetch_start(task, context))
    return follow_recipe(recipe, f"Training on {len(dataset.images)} images", context)


def run_pretrain(task: PretrainTask, context: TaskContext) -> TrainOutput:
    from cassl_worker.device import pick_device
    from cassl_worker.pretrain import PretrainRecipe

    dataset = fetch_dataset(task.train.dataset, context)
    recipe = PretrainRecipe(task, dataset, pick_device(), context.scratch, fetch_start(task.train, context))
    return follow_recipe(recipe, f"Pretraining on {len(dataset.images)} images", context)


def run_mean_teacher(task: MeanTeacherTask, context: TaskContext) -> TrainOutput:
    from cassl_worker.device import pick_device
    from cassl_worker.mean_teacher import MeanTeacherRecipe

    labeled, unlabeled = fetch_dataset(task.train.dataset, context), fetch_dataset(task.unlabeled, context)
    start = fetch_start(task.train, context)
    recipe = MeanTeacherRecipe(task, labeled, unlabeled, pick_device(), context.scratch, start)
    counts = f"{len(labeled.images)} labeled and {len(unlabeled.images)} unlabeled"
    return follow_recipe(recipe, f"Training on {counts} images", context)


def fetch_start(task: TrainTask, context: TaskContext) -> Path | None:
    """The weights to start from, where the task names some."""
    return context.artifacts.fetch(task.init_from.weights) if task.HasField("init_from") else None


def follow_recipe(recipe: "Recipe[Any]", what: str, context: TaskContext) -> TrainOutput:
    """what: is done, for the log."""
    from cassl_worker.device import pick_device
    from cassl_worker.predict import kept_detector
    from cassl_worker.solver import peak_learning_rate
    from cassl_worker.train import follow

    kept_detector.cache_clear()
    artifacts, lease = context.artifacts, context.lease
    resume_from = artifacts.fetch(lease.resume_from.sha256) if lease.HasField("resume_from") else None
    start = "from a checkpoint" if resume_from is not None else "from iteration 0"
    context.log(
        f"{what} {start}, device {pick_device()}, {recipe.solver.images_per_batch} images a batch, "
        f"peak learning rate {peak_learning_rate(recipe.solver):.4g}."
    )
    events = follow(recipe, scratch=context.scratch, resume_from=resume_from, pause=context.pause)
    with closing(events):
        for event in until_cancelled(events, context.cancelled):
            match event:
                case Progress():
                    context.emit(TaskEvent(train_progress=to_train_progress(event)))
                case Checkpoint():
                    keep_checkpoint(event, context)
                case RolledBack():
                    context.log(f"{event.why} It goes on once more from iteration {event.to_iteration}.", "warning")
                case Trained():
                    return store_trained(event, artifacts)
    raise HandBack


def run_predict(task: PredictTask, context: TaskContext) -> PredictOutput:
    """Counts what this lease predicted; what all leases together have committed is the controller's to count."""
    from cassl_worker.device import pick_device
    from cassl_worker.predict import predict

    device, due = pick_device(), context.lease.shards
    dataset = fetch_dataset(task.dataset, context)
    weights = context.artifacts.fetch(task.weights)
    total = sum(images_of_shard(shard, task.predict.shard_size, len(dataset.images)) for shard in due)
    output = PredictOutput()
    shards = predict(task, dataset, weights=weights, device=device, shards=due)
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
    manifest = context.artifacts.fetch(sha256)
    return kept_dataset(manifest, Path(context.lease.image_root), context.artifacts.cache.folder / "images")


@lru_cache(maxsize=1)
def kept_dataset(manifest: Path, image_root: Path, image_cache: Path) -> "Dataset":
    """The dataset of the last call with the same arguments."""
    from cassl_worker.data import read_dataset
    from cassl_worker.remote_images import ImageCache, most_bytes

    return read_dataset(manifest, image_root, ImageCache(image_cache, most_bytes()))


def fetch_training_set(task: TrainTask, context: TaskContext) -> "Dataset":
    from cassl_worker.data import read_labels
    from cassl_worker.detectors import gives_masks

    dataset = fetch_dataset(task.dataset, context)
    if not task.HasField("labels"):
        return dataset
    path, masks = context.artifacts.fetch(task.labels.sha256), gives_masks(task.detector.family)
    return replace(dataset, labels=read_labels(path, len(dataset.images), task.labels.class_count, masks=masks))


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
    )


def images_of_shard(shard: int, shard_size: int, image_count: int) -> int:
    """The last shard of a dataset may be smaller than the others."""
    return min(shard_size, image_count - shard * shard_size)
