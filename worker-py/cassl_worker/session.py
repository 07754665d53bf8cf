"""Keeps the worker attached to its controller and does the tasks that the controller leases to it."""

import glob
import os
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import grpc

from cassl.v1.worker_service_pb2 import Lease, Register, TaskEvent, TaskResult

from cassl_worker.artifacts import ArtifactCache, Artifacts
from cassl_worker.attachment import Attachment
from cassl_worker.channel import backoff, open_channel
from cassl_worker.detectors import families
from cassl_worker.error_details import cancelled_error, from_rpc_error, to_error_detail
from cassl_worker.frames import ShardSender
from cassl_worker.tasks import TaskContext, run_task
from cassl_worker.version import VERSION

FINAL_REASONS = frozenset({"VERSION_MISMATCH"})
"""Refusals that dialing in again does not change."""
OUTAGE_REPORT_SECONDS = 60.0


class Session:
    """Attaches to a controller again and again, and does its tasks one at a time in a thread of their own.

    Args:
        address: HOST:PORT of the controller.
        name: what operators know the worker by.
        folder: for the files of tasks.
        cache: folder of the artifact cache.
        report: takes lines for the worker's operator.
    """

    def __init__(self, address: str, name: str, folder: Path, cache: Path, report: Callable[[str], None]) -> None:
        self.address = address
        self.name = name
        self.folder = folder
        self.cache = ArtifactCache(cache)
        self.report = report
        self.executor = ThreadPoolExecutor(1, thread_name_prefix="task")
        self.last_task: Future[None] | None = None
        self.attachment: Attachment | None = None
        self.closed = threading.Event()
        self.silent_until = 0.0

    def run(self) -> None:
        """Returns when the controller has drained the worker, or after `close`. VERSION_MISMATCH if it refuses it."""
        delays = backoff()
        while not self.closed.is_set():
            with open_channel(self.address) as channel:
                attachment = Attachment(channel, registration(self.name), partial(self.start, channel))
                why = self.serve(attachment)
            if attachment.draining:
                return
            if attachment.welcome is not None:
                delays, self.silent_until = backoff(), 0.0
            self.report_outage(why)
            self.closed.wait(next(delays))

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

    def report_outage(self, why: str) -> None:
        """Once at the start of an outage, then now and again."""
        if not self.closed.is_set() and time.monotonic() >= self.silent_until:
            self.report(f"{why} Trying to attach again until it is back.")
            self.silent_until = time.monotonic() + OUTAGE_REPORT_SECONDS

    def start(self, channel: grpc.Channel, attachment: Attachment, lease: Lease, cancelled: threading.Event) -> None:
        self.last_task = self.executor.submit(self.work, channel, attachment, lease, cancelled)

    def work(self, channel: grpc.Channel, attachment: Attachment, lease: Lease, cancelled: threading.Event) -> None:
        assert attachment.welcome is not None
        attempt = lease.task_attempt
        open_sender = partial(ShardSender, attachment.welcome.frames_endpoint, attempt, lease.shard_credits, cancelled)

        def emit(event: TaskEvent) -> None:
            event.task_attempt.CopyFrom(attempt)
            attachment.emit(event)

        with TemporaryDirectory(dir=self.folder, prefix="task-", ignore_cleanup_errors=True) as scratch:
            artifacts = Artifacts(channel, self.address, self.cache, cancelled)
            result = self.result_of(TaskContext(lease, artifacts, open_sender, emit, cancelled, Path(scratch)))
        attachment.finish(result)

    def result_of(self, context: TaskContext) -> TaskResult:
        attempt, kind = context.lease.task_attempt, context.lease.task.WhichOneof("kind")
        task = f"{kind} task {attempt.task_id[:12]}, attempt {attempt.attempt}"
        self.report(f"Begins {task}.")
        try:
            output = run_task(context)
        except Exception as error:
            # Once a task is cancelled, whatever makes it fail, such as a closed channel, is a consequence of that.
            detail = to_error_detail(cancelled_error() if context.cancelled.is_set() else error)
            self.report(f"Failed at {task}: {detail.message}")
            return TaskResult(task_attempt=attempt, error=detail)
        self.report(f"Finished {task}.")
        return TaskResult(task_attempt=attempt, output=output)

    def close(self, grace_seconds: float) -> None:
        """Leaves the controller, cancels the task under way and waits so long for its end."""
        self.closed.set()
        if self.attachment is not None:
            self.attachment.close()
        if self.last_task is not None:
            wait([self.last_task], grace_seconds)


def registration(name: str) -> Register:
    return Register(
        name=name,
        version=VERSION,
        pid=os.getpid(),
        host=socket.gethostname(),
        devices=devices(),
        families=families(),
    )


def devices() -> list[str]:
    """As torch names them, but found without loading it."""
    gpus = glob.glob("/dev/nvidia[0-9]*")
    return ["cpu", *(f"cuda:{index}" for index in range(len(gpus)))]
