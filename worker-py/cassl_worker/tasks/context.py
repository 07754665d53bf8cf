"""What the session gives a task, and what every kind of task does with it."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from cassl.v1.worker_service_pb2 import Lease, LogLine, TaskEvent

from cassl_worker.artifacts import Artifacts
from cassl_worker.error_details import cancelled_error
from cassl_worker.frames import ShardSender

if TYPE_CHECKING:
    from cassl_worker.data import Dataset

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
