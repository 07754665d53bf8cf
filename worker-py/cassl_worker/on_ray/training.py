"""A training by Ray Train: all processes of a worker group take part in it; the first one's events reach the driver."""

import tempfile
import threading
import time
from collections.abc import Generator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import ray
import ray.train
import ray.train.torch
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from cassl.v1.task_pb2 import Task

from cassl_worker import distributed
from cassl_worker.errors import CasslError
from cassl_worker.on_ray.cluster import Storage, named, pack, unpack
from cassl_worker.on_ray.settings import Demand
from cassl_worker.records import Checkpoint, Event, Trained
from cassl_worker.training import Training, most_processes_for, training_events

POLL_SECONDS = 0.5
KEPT_CHECKPOINTS = 2
"""The driver may be reading the one before the last."""
FILES = ("manifest", "labels", "unlabeled", "init_from", "resume_from")
"""Of Training, where it has them."""
WEIGHTS, LEDGER = "weights", "ledger"

Said = Event | CasslError


class Mailbox:
    """Between the driver and the first process, which Ray may start again."""

    def __init__(self) -> None:
        self.said: list[Said] = []
        self.pause = False

    def put(self, said: Said) -> None:
        self.said.append(said)

    def take(self, pause: bool) -> list[Said]:
        """pause: whether the training is to pause."""
        self.pause = pause
        said, self.said = self.said, []
        return said

    def is_pause_asked(self) -> bool:
        return self.pause


@dataclass(frozen=True)
class Part:
    """What each process is given.

    Attributes:
        files: objects of Ray with the content of files of `training`.
        storage: where checkpoints and weights go, and are found by processes that are started again.
    """

    training: Training
    files: dict[str, Any]
    storage: tuple[str, str]
    mailbox: Any


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
    part = Part(training, files, (storage.place, storage.name), mailbox)
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
        for folder in (storage, Storage(storage.place, name_for_ray(storage))):
            with suppress(OSError):
                folder.remove_all()
    if trained is not None:
        yield trained


def name_for_ray(storage: Storage) -> str:
    """Of the folder that Ray Train makes for itself beside the attempt's."""
    return f"{storage.name}-ray"


def trainer(part: Part, demand: Demand, most: int, storage: Storage) -> ray.train.torch.TorchTrainer:
    return ray.train.torch.TorchTrainer(
        take_part,
        train_loop_config={"part": part},
        torch_config=ray.train.torch.TorchConfig(backend="nccl" if demand.gpus > 0 else "gloo"),
        scaling_config=ray.train.ScalingConfig(
            num_workers=most,
            use_gpu=demand.gpus > 0,
            resources_per_worker=demand.amounts(),
            label_selector=dict(demand.labels) or None,
        ),
        run_config=ray.train.RunConfig(
            name=name_for_ray(storage),
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


def fetched(path: Path, storage: Storage, scratch: Path) -> Path:
    content = storage.read(path.name)
    local = scratch / path.name
    local.write_bytes(content)
    return local


def take_part(config: dict[str, Part]) -> None:
    """The whole of a process."""
    part = config["part"]
    storage = Storage(*part.storage)
    pause, is_over = threading.Event(), threading.Event()
    if distributed.is_first():
        threading.Thread(target=watch_pause, args=(part.mailbox, pause, is_over), daemon=True).start()
    with tempfile.TemporaryDirectory(prefix="cassl-train-", ignore_cleanup_errors=True) as folder:
        try:
            training = on_this_node(part, storage, Path(folder))
            scratch = Path(folder, "scratch")
            scratch.mkdir()
            device = ray.train.torch.get_device()
            with closing(training_events(training, device, scratch, pause)) as events:
                for event in events:
                    ray.get(part.mailbox.put.remote(stored(event, storage)))
        except CasslError as error:
            # The driver ends the job for it; for Ray it would be one more reason to start again.
            ray.get(part.mailbox.put.remote(error))
            raise
        finally:
            is_over.set()


def watch_pause(mailbox: Any, pause: threading.Event, is_over: threading.Event) -> None:
    while not is_over.wait(POLL_SECONDS):
        with suppress(ray.exceptions.RayError):
            if ray.get(mailbox.is_pause_asked.remote()):
                pause.set()
                return


def on_this_node(part: Part, storage: Storage, folder: Path) -> Training:
    """The training with its files here. The first process goes on from the newest checkpoint of this job, if there is
    one; those of the others would not count."""
    files: dict[str, Any] = {name: unpack(content, folder / name) for name, content in part.files.items()}
    training = replace(part.training, **files, image_cache=Path(tempfile.gettempdir(), "cassl-images"))
    checkpoints = checkpoints_in(storage) if distributed.is_first() else []
    return replace(training, resume_from=fetched(Path(checkpoints[-1]), storage, folder)) if checkpoints else training


def checkpoints_in(storage: Storage) -> list[str]:
    """Their names, the newest last."""
    return [name for name in storage.names() if name.startswith("checkpoint-")]


def stored(event: Event, storage: Storage) -> Event:
    """With its files in the storage, known by their names there."""
    match event:
        case Checkpoint(iteration, path):
            name = f"checkpoint-{iteration:010}"
            storage.write(name, path.read_bytes())
            path.unlink()
            for old in checkpoints_in(storage)[:-KEPT_CHECKPOINTS]:
                storage.remove(old)
            return Checkpoint(iteration, Path(name))
        case Trained(weights, iterations, ledger):
            storage.write(WEIGHTS, weights.read_bytes())
            if ledger is not None:
                storage.write(LEDGER, ledger.read_bytes())
            return Trained(Path(WEIGHTS), iterations, None if ledger is None else Path(LEDGER))
        case _:
            return event
