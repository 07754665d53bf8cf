"""A training by Ray Train: all processes of a worker group take part in it; the first one's events reach the driver."""

import threading
import time
from collections.abc import Generator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import ray
import ray.train
import ray.train.torch
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from cassl.v1.task_pb2 import Task

from cassl_worker.errors import CasslError
from cassl_worker.on_ray.cluster import pack
from cassl_worker.on_ray.failures import named
from cassl_worker.on_ray.mailbox import Mailbox, Said
from cassl_worker.on_ray.settings import Demand
from cassl_worker.on_ray.storage import Storage
from cassl_worker.on_ray.training_process import Part, fetched, take_part
from cassl_worker.records import Checkpoint, Event, Trained
from cassl_worker.training import Training, most_processes_for

POLL_SECONDS = 0.5
FILES = ("manifest", "labels", "unlabeled", "init_from", "resume_from")
"""Of Training, where it has them."""


def train_on_ray(
    training: Training, demand: Demand, storage: Storage, scratch: Path, pause: threading.Event
) -> Generator[Event]:
    """The events of a training in as many processes as are asked for and it can be divided over.

    Leaves nothing in the storage: only Ray's own restarts go on from there, the next attempt does from the controller's
    checkpoint. Trained comes when that is done, because who follows a training stops at it.
    """
    here = NodeAffinitySchedulingStrategy(node_id=ray.get_runtime_context().get_node_id(), soft=False)
    mailbox = ray.remote(Mailbox).options(num_cpus=0, scheduling_strategy=here).remote()
    paths = {name: getattr(training, name) for name in FILES}
    files = {name: pack(path) for name, path in paths.items() if path is not None}
    part = Part(training, files, (storage.place, storage.task_id, storage.attempt), mailbox)
    most = min(demand.workers, most_processes_for(Task.FromString(training.task)))
    trained: Trained | None = None
    storage.make()
    executor = ThreadPoolExecutor(1, thread_name_prefix="ray-train")
    fitted = executor.submit(trainer(part, demand, most, storage).fit)
    try:
        for said in heard(mailbox, fitted, pause):
            for event in received(said, storage, scratch):
                if isinstance(event, Trained):
                    trained = event
                else:
                    yield event
    except (ray.exceptions.RayError, ray.train.v2.api.exceptions.TrainingFailedError) as error:
        # A process that dies after the end takes nothing away from what has been trained.
        if trained is None:
            raise named(error, "The training") from error
    finally:
        executor.shutdown(wait=False, cancel_futures=True)
        storage.remove_all()
    if trained is not None:
        yield trained


def trainer(part: Part, demand: Demand, most: int, storage: Storage) -> ray.train.torch.TorchTrainer:
    return ray.train.torch.TorchTrainer(
        take_part,
        train_loop_config={"part": part},
        torch_config=ray.train.torch.TorchConfig(backend="nccl" if demand.gpus > 0 else "gloo"),
        scaling_config=ray.train.ScalingConfig(
            num_workers=most if demand.min_workers >= most else (demand.min_workers, most),
            use_gpu=demand.gpus > 0,
            resources_per_worker=demand.amounts(),
            label_selector=dict(demand.labels) or None,
        ),
        run_config=ray.train.RunConfig(
            name=storage.name_for_ray,
            storage_path=storage.place,
            failure_config=ray.train.FailureConfig(max_failures=demand.max_failures),
        ),
    )


def heard(mailbox: Any, fitted: "Future[Any]", pause: threading.Event) -> Generator[Said]:
    """Until the training has ended, or failed."""
    while True:
        is_over = fitted.done()
        yield from ray.get(mailbox.take.remote(pause.is_set()))
        if is_over:
            fitted.result()
            return
        time.sleep(POLL_SECONDS)


def received(said: Said, storage: Storage, scratch: Path) -> Generator[Event]:
    """With its files on this machine."""
    match said:
        case CasslError():
            raise said
        case Checkpoint(iteration, path):
            # A later one has taken its place if the driver was held up.
            with suppress(FileNotFoundError):
                yield Checkpoint(iteration, fetched(path, storage, scratch))
        case Trained(weights, iterations, ledger):
            files = [None if path is None else fetched(path, storage, scratch) for path in (weights, ledger)]
            assert files[0] is not None
            yield Trained(files[0], iterations, files[1])
        case _:
            yield said
