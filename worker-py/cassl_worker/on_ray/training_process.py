"""What each process of a training on Ray does. The first one tells the driver, and leaves files in the storage."""

import tempfile
import threading
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import ray
import ray.train.torch

from cassl_worker import distributed
from cassl_worker.errors import CasslError
from cassl_worker.on_ray.cluster import unpack
from cassl_worker.on_ray.storage import Storage
from cassl_worker.records import Checkpoint, Event, Trained
from cassl_worker.training import Training, training_events

POLL_SECONDS = 0.5
KEPT_CHECKPOINTS = 2
"""The driver may be reading the one before the last."""
WEIGHTS, LEDGER = "weights", "ledger"


@dataclass(frozen=True)
class Part:
    """What each process is given.

    Attributes:
        files: objects of Ray with the content of files of `training`.
        storage: arguments of Storage, where checkpoints and weights go: processes that are started again find them.
    """

    training: Training
    files: dict[str, Any]
    storage: tuple[str, str, int]
    mailbox: Any


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


def fetched(path: Path, storage: Storage, scratch: Path) -> Path:
    content = storage.read(path.name)
    local = scratch / path.name
    local.write_bytes(content)
    return local
