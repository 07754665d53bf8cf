"""Predictions: their shards go to the controller as frames."""

import time
from collections.abc import Generator
from contextlib import closing

from cassl.v1.task_pb2 import PredictOutput, PredictTask
from cassl.v1.worker_service_pb2 import PredictProgress, TaskEvent

from cassl_worker.records import Shard
from cassl_worker.tasks.context import HandBack, TaskContext, fetch_dataset, until_cancelled


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


def images_of_shard(shard: int, shard_size: int, image_count: int) -> int:
    """The last shard of a dataset may be smaller than the others."""
    return min(shard_size, image_count - shard * shard_size)
