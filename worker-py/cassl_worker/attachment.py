"""One stream to the controller, and the leases that came over it."""

import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import TypeAlias

import grpc

from cassl.v1.worker_service_pb2 import (
    AttachRequest,
    AttachResponse,
    Heartbeat,
    Lease,
    Register,
    TaskAttempt,
    TaskEvent,
    TaskResult,
    Welcome,
)
from cassl.v1.worker_service_pb2_grpc import WorkerServiceStub

from cassl_worker.errors import CasslError

OnLease: TypeAlias = Callable[["Attachment", Lease, threading.Event], None]


class Attachment:
    """A stream from `register` to its end. Its leases end with it.

    Args:
        on_lease: starts a task, without waiting for it; the event cancels it. `finish` is due when it has ended.
    """

    def __init__(self, channel: grpc.Channel, register: Register, on_lease: OnLease) -> None:
        self.on_lease = on_lease
        self.welcome: Welcome | None = None
        self.draining = False
        self.ended = threading.Event()
        self.cancellations: dict[tuple[str, int], threading.Event] = {}
        self.outbox: SimpleQueue[AttachRequest | None] = SimpleQueue()
        self.outbox.put(AttachRequest(register=register))
        self.call = WorkerServiceStub(channel).Attach(iter(self.outbox.get, None))

    def serve(self) -> None:
        """Returns when the controller ends the stream; grpc.RpcError when it breaks."""
        try:
            for response in self.call:
                self.receive(response)
        finally:
            self.ended.set()
            for cancelled in list(self.cancellations.values()):
                cancelled.set()
            self.outbox.put(None)

    def receive(self, response: AttachResponse) -> None:
        match response.WhichOneof("message"):
            case "welcome":
                self.welcome = response.welcome
                threading.Thread(target=self.beat, args=(response.welcome.heartbeat_seconds,), daemon=True).start()
            case kind if self.welcome is None:
                raise unwelcome(kind)
            case "lease":
                self.begin(response.lease)
            case "cancel":
                if (cancelled := self.cancellations.get(key_of(response.cancel.task_attempt))) is not None:
                    cancelled.set()
            case "drain":
                self.draining = True
                self.leave_if_drained()

    def beat(self, seconds: float) -> None:
        while not self.ended.wait(seconds):
            running = [TaskAttempt(task_id=task_id, attempt=attempt) for task_id, attempt in self.cancellations]
            self.outbox.put(AttachRequest(heartbeat=Heartbeat(running=running[0] if running else None)))

    def begin(self, lease: Lease) -> None:
        cancelled = self.cancellations[key_of(lease.task_attempt)] = threading.Event()
        self.on_lease(self, lease, cancelled)

    def emit(self, event: TaskEvent) -> None:
        self.outbox.put(AttachRequest(event=event))

    def finish(self, result: TaskResult) -> None:
        self.outbox.put(AttachRequest(result=result))
        del self.cancellations[key_of(result.task_attempt)]
        self.leave_if_drained()

    def leave_if_drained(self) -> None:
        """Ends our side of the stream after what is in the outbox; the controller ends the other in turn."""
        if self.draining and not self.cancellations:
            self.outbox.put(None)

    def close(self) -> None:
        """Breaks the stream off. Any thread may call this."""
        self.call.cancel()


def key_of(attempt: TaskAttempt) -> tuple[str, int]:
    return attempt.task_id, attempt.attempt


def unwelcome(kind: str | None) -> CasslError:
    return CasslError(
        "VERSION_MISMATCH",
        f"The controller's first message is `{kind}`, not `welcome`.",
        "Install the same version of cassl on both sides.",
    )
