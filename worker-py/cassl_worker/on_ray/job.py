"""How the worker of a Ray job does its task."""

from cassl.v1.task_pb2 import PredictOutput, PredictTask, TaskOutput, TrainOutput

from cassl_worker.on_ray import cluster
from cassl_worker.on_ray.settings import RaySettings
from cassl_worker.on_ray.storage import Storage, check_shared
from cassl_worker.tasks import run_task
from cassl_worker.tasks.context import TaskContext, fetch_dataset
from cassl_worker.tasks.labelling import send_shards
from cassl_worker.tasks.training import fetch_training, follow_training


def run_on_cluster(context: TaskContext, settings: RaySettings) -> TaskOutput:
    """As `run_task`, but trainings and predictions are done by processes that Ray starts on its nodes."""
    match context.lease.task.WhichOneof("kind"):
        case "train" | "pretrain" | "mean_teacher":
            return TaskOutput(train=run_training(context, settings))
        case "predict":
            return TaskOutput(predict=run_predict(context.lease.task.predict, context, settings))
        case _:
            return run_task(context)


def run_training(context: TaskContext, settings: RaySettings) -> TrainOutput:
    from cassl_worker.on_ray.training import train_on_ray

    training, attempt = fetch_training(context), context.lease.task_attempt
    cluster.join()
    cluster.wait_for_node(settings.train, settings.pending_seconds, context.log)
    storage = Storage(settings.storage, attempt.task_id, attempt.attempt)
    check_shared(storage)
    return follow_training(train_on_ray(training, settings.train, storage, context.scratch, context.pause), context)


def run_predict(task: PredictTask, context: TaskContext, settings: RaySettings) -> PredictOutput:
    from cassl_worker.on_ray.labelling import label_on_ray

    dataset = fetch_dataset(task.dataset, context)
    manifest, weights = (context.artifacts.fetch(sha256) for sha256 in (task.dataset, task.weights))
    cluster.join()
    cluster.wait_for_node(settings.predict, settings.pending_seconds, context.log)
    lease = context.lease
    shards = label_on_ray(task, manifest, weights, lease.image_root, lease.shards, settings.predict)
    return send_shards(shards, task, len(dataset.images), context)
