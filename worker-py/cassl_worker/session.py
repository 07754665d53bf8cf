"""Keeps the worker attached to its controller and does the tasks that the controller leases to it."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import grpc

from cassl.v1.task_pb2 import TaskOutput
from cassl.v1.worker_service_pb2 import (
    AttachResponse,
    HandedBack,
    Heartbeat,
    HeldLease,
    Lease,
    Leaving,
    TaskAttempt,
    TaskEvent,
    TaskResult,
    Welcome,
)

from cassl_worker.artifacts import ArtifactCache, Artifacts
from cassl_worker.attachment import Attachment
from cassl_worker.channel import backoff, open_channel, reachable
from cassl_worker.connection import PLAIN, Connection
from cassl_worker.error_details import cancelled_error, from_rpc_error, to_error_detail
from cassl_worker.errors import CasslError
from cassl_worker.frames import Route, ShardSender
from cassl_worker.registration import Registration
from cassl_worker.tasks import run_task
from cassl_worker.tasks.context import HandBack, TaskContext

FINAL_REASONS = frozenset({"VERSION_MISMATCH", "UNAUTHENTICATED", "PERMISSION_DENIED", "TLS_FAILED", "LEASE_ENDED"})
"""Refusals that dialing in again does not change."""
OUTAGE_REPORT_SECONDS = 60.0
PATIENCE_SECONDS = 300.0
"""How long a worker that is reserved for an attempt dials a controller that does not answer."""
LEAVE_SECONDS = 0.5
"""For the controller to take leave of a worker that does not wait for its results to be received."""


@dataclass
class HeldTask:
    """A lease from its beginning until the controller has received the result.

    Attributes:
        checkpoint: the event of the latest one, which may have been lost with a stream.
    """

    lease: Lease
    cancelled: threading.Event = field(default_factory=threading.Event)
    checkpoint: TaskEvent | None = None
    result: TaskResult | None = None


class Session:
    """Attaches to a controller again and again, and does its tasks one at a time in a thread of their own.

    A task goes on while the worker is not attached; when it attaches again, the controller learns of it.

    Args:
        address: HOST:PORT of the controller.
        registration: what the controller is told of the worker. One that is reserved for an attempt gives up where the
            controller stays away, because what it runs on is not its own.
        folder: for the files of tasks.
        cache: folder of the artifact cache.
        report: takes lines for the worker's operator.
        connection: what the worker shows and trusts.
        processes: that a training is divided over; None: one for each GPU.
        do_task: how tasks are done.
    """

    def __init__(
        self,
        address: str,
        registration: Registration,
        folder: Path,
        cache: Path,
        report: Callable[[str], None],
        connection: Connection = PLAIN,
        processes: int | None = None,
        *,
        do_task: Callable[[TaskContext], TaskOutput] = run_task,
    ) -> None:
        self.address = address
        self.registration = registration
        self.folder = folder
        self.cache = ArtifactCache(cache)
        self.report = report
        self.connection = connection
        self.processes = processes
        self.do_task = do_task
        self.executor = ThreadPoolExecutor(1, thread_name_prefix="task")
        self.last_task: Future[None] | None = None
        self.held: dict[tuple[str, int], HeldTask] = {}
        self.attachment: Attachment | None = None
        self.route: Route | None = None
        self.draining = threading.Event()
        self.closed = threading.Event()
        self.silent_until = 0.0

    def run(self) -> None:
        """Returns when the worker is drained, or after `close`. VERSION_MISMATCH, UNAUTHENTICATED, PERMISSION_DENIED,
        TLS_FAILED or LEASE_ENDED where the controller does not let it in; CONTROLLER_UNREACHABLE if it gives up."""
        delays, away_since = backoff(), time.monotonic()
        with open_channel(self.address, self.connection) as channel:
            while not self.closed.is_set():
                register = self.registration.holding(self.held_leases())
                attachment = Attachment(channel, register, partial(self.receive, channel), self.beat)
                why = self.serve(attachment)
                if self.is_drained():
                    return
                if attachment.welcome is not None:
                    delays, self.silent_until, away_since = backoff(), 0.0, time.monotonic()
                if self.registration.reserved_for is not None and time.monotonic() - away_since > PATIENCE_SECONDS:
                    raise given_up(why)
                self.report_outage(why)
                self.closed.wait(next(delays))

    def held_leases(self) -> list[HeldLease]:
        return [HeldLease(task_attempt=task.lease.task_attempt, shards=task.lease.shards) for task in self.tasks()]

    def serve(self, attachment: Attachment) -> str:
        """Returns why the stream ended. Raises a refusal that is final."""
        self.attachment = attachment
        if self.closed.is_set():
            attachment.close()
        try:
            attachment.serve()
            return f"The controller at {self.address} ended the stream."
        except grpc.RpcError as error:
            refusal = from_rpc_error(error, self.address)
            if refusal.reason in FINAL_REASONS:
                raise refusal from error
            return refusal.message
        finally:
            self.route = None

    def report_outage(self, why: str) -> None:
        """Once at the start of an outage, then now and again."""
        if not self.closed.is_set() and time.monotonic() >= self.silent_until:
            self.report(f"{why} Trying to attach again until it is back.")
            self.silent_until = time.monotonic() + OUTAGE_REPORT_SECONDS

    def receive(self, channel: grpc.Channel, attachment: Attachment, response: AttachResponse) -> None:
        match response.WhichOneof("message"):
            case "welcome":
                self.go_on(attachment, response.welcome)
            case "lease":
                self.begin(channel, response.lease)
            case "cancel":
                if (task := self.held.get(key_of(response.cancel.task_attempt))) is not None:
                    task.cancelled.set()
            case "result_received":
                self.held.pop(key_of(response.result_received.task_attempt), None)
                if self.registration.reserved_for is not None:
                    self.drain()
                self.leave_if_drained()
            case "drain":
                self.drain()

    def go_on(self, attachment: Attachment, welcome: Welcome) -> None:
        """Says again what may have been lost with the stream before this one."""
        keys = welcome.frames_keys if welcome.HasField("frames_keys") else None
        self.route = Route(reachable(welcome.frames_endpoint, self.address), welcome.frames_token, keys)
        for task in self.tasks():
            if task.checkpoint is not None:
                attachment.send(event=task.checkpoint)
        self.send_results(attachment)
        if self.draining.is_set():
            self.drain()

    def beat(self, attachment: Attachment) -> None:
        running = [task.lease.task_attempt for task in self.tasks()]
        attachment.send(heartbeat=Heartbeat(running=running[0] if running else None))
        self.send_results(attachment)

    def send_results(self, attachment: Attachment) -> None:
        for task in self.tasks():
            if task.result is not None:
                attachment.send(result=task.result)

    def begin(self, channel: grpc.Channel, lease: Lease) -> None:
        task = self.held[key_of(lease.task_attempt)] = HeldTask(lease)
        if self.draining.is_set():
            self.finish(task, TaskResult(task_attempt=lease.task_attempt, handed_back=HandedBack()))
        else:
            self.last_task = self.executor.submit(self.work, channel, task)

    def work(self, channel: grpc.Channel, task: HeldTask) -> None:
        lease, cancelled = task.lease, task.cancelled
        open_sender = partial(ShardSender, lambda: self.route, lease.task_attempt, lease.credit_bytes, cancelled)
        emit = partial(self.emit, task)
        with TemporaryDirectory(dir=self.folder, prefix="task-", ignore_cleanup_errors=True) as scratch:
            artifacts = Artifacts(channel, self.address, self.cache, cancelled)
            context = TaskContext(
                lease, artifacts, open_sender, emit, cancelled, self.draining, Path(scratch), self.processes
            )
            result = self.result_of(context)
        self.finish(task, result)

    def emit(self, task: HeldTask, event: TaskEvent) -> None:
        event.task_attempt.CopyFrom(task.lease.task_attempt)
        if event.HasField("checkpoint_saved"):
            task.checkpoint = event
        if (attachment := self.attachment) is not None and not attachment.ended.is_set():
            attachment.send(event=event)

    def result_of(self, context: TaskContext) -> TaskResult:
        attempt, kind = context.lease.task_attempt, context.lease.task.WhichOneof("kind")
        task = f"{kind} task {attempt.task_id[:12]}, attempt {attempt.attempt}"
        self.report(f"Begins {task}.")
        try:
            output = self.do_task(context)
        except HandBack:
            self.report(f"Hands back {task}.")
            return TaskResult(task_attempt=attempt, handed_back=HandedBack())
        except Exception as error:
            # Once a task is cancelled, whatever makes it fail, such as a closed channel, is a consequence of that.
            detail = to_error_detail(cancelled_error() if context.cancelled.is_set() else error)
            self.report(f"Failed at {task}: {detail.message}")
            return TaskResult(task_attempt=attempt, error=detail)
        self.report(f"Finished {task}.")
        return TaskResult(task_attempt=attempt, output=output)

    def finish(self, task: HeldTask, result: TaskResult) -> None:
        """The result is sent now, and with each heartbeat until it is received."""
        task.result = result
        if (attachment := self.attachment) is not None:
            attachment.send(result=result)

    def drain(self) -> None:
        """Takes no more leases, hands back what is under way, then leaves. Any thread may call this."""
        self.draining.set()
        if (attachment := self.attachment) is not None:
            attachment.send(leaving=Leaving())
        self.leave_if_drained()

    def leave_if_drained(self) -> None:
        if self.is_drained() and (attachment := self.attachment) is not None:
            attachment.finish()

    def is_drained(self) -> bool:
        return self.draining.is_set() and not self.held

    def tasks(self) -> list[HeldTask]:
        """A copy: other threads add and remove."""
        return list(self.held.values())

    def close(self, grace_seconds: float) -> None:
        """Cancels the tasks under way, waits so long for their end, and leaves the controller."""
        self.closed.set()
        for task in self.tasks():
            task.cancelled.set()
        if self.last_task is not None:
            wait([self.last_task], grace_seconds)
        if (attachment := self.attachment) is not None:
            attachment.send(leaving=Leaving())
            attachment.finish()
            attachment.ended.wait(LEAVE_SECONDS)
            attachment.close()


def given_up(why: str) -> CasslError:
    return CasslError(
        "CONTROLLER_UNREACHABLE",
        f"{why} The worker has dialed for {PATIENCE_SECONDS:.0f} s.",
        "Check that this machine may connect to the address.",
    )


def key_of(attempt: TaskAttempt) -> tuple[str, int]:
    return attempt.task_id, attempt.attempt
