"""Trainings of any kind: what they need is fetched, what they say is reported, and what they leave is stored."""

from collections.abc import Generator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from cassl.v1.task_pb2 import TrainOutput
from cassl.v1.worker_service_pb2 import CheckpointSaved, TaskEvent, TrainProgress

from cassl_worker.artifacts import Artifacts
from cassl_worker.records import Checkpoint, Event, Progress, RolledBack, Started, Trained
from cassl_worker.tasks.context import HandBack, TaskContext, image_cache_of, until_cancelled

if TYPE_CHECKING:
    from cassl_worker.training import Training


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


def follow_training(events: Generator[Event], context: TaskContext) -> TrainOutput:
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
