"""The data plane: prediction shards to the controller's ZeroMQ ROUTER. See proto/cassl/v1/prediction_frame.proto."""

import hashlib
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING

import zmq

from cassl.v1.prediction_frame_pb2 import ShardHeader, ShardReply
from cassl.v1.worker_service_pb2 import TaskAttempt

from cassl_worker.error_details import cancelled_error, from_error_detail
from cassl_worker.errors import CasslError

if TYPE_CHECKING:
    from cassl_worker.predict import Shard

RESEND_SECONDS = 5.0
MAX_UNANSWERED_SENDS = 24
"""Two minutes. Whether the controller lives at all is the session's to find out."""
MAX_REFUSALS = 5
"""A frame may be damaged on its way, but not again and again."""
POLL_MS = 100
"""How soon a cancellation and a due repetition are noticed."""
HEARTBEAT_MS = 5000
MAX_RECONNECT_MS = 5000
MAX_REPLY_BYTES = 1 << 20


@dataclass
class Pending:
    """A shard that the controller has not answered."""

    parts: tuple[bytes, bytes]
    resend_at: float = 0.0
    unanswered_sends: int = 0
    refusals: int = 0


class ShardSender:
    """Brings the shards of one attempt to the controller, each until it is committed.

    Args:
        endpoint: of the controller's ROUTER, such as tcp://127.0.0.1:40123.
        credits: shards that may be under way without a reply, at least 1.
        cancelled: once it is set, waiting raises CANCELLED.
    """

    def __init__(
        self,
        endpoint: str,
        attempt: TaskAttempt,
        credits: int,
        cancelled: threading.Event,
        resend_seconds: float = RESEND_SECONDS,
    ) -> None:
        self.endpoint = endpoint
        self.attempt = attempt
        self.credits = credits
        self.cancelled = cancelled
        self.resend_seconds = resend_seconds
        self.pending: dict[int, Pending] = {}
        self.context = zmq.Context()
        self.socket = self.context.socket(zmq.DEALER)
        self.socket.linger = 0
        self.socket.sndhwm = 2 * credits
        self.socket.maxmsgsize = MAX_REPLY_BYTES
        self.socket.heartbeat_ivl = HEARTBEAT_MS
        self.socket.reconnect_ivl_max = MAX_RECONNECT_MS
        self.socket.ipv6 = True
        self.socket.connect(endpoint)

    def __enter__(self) -> "ShardSender":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.context.destroy(linger=0)

    def send(self, shard: "Shard") -> None:
        """Returns once the shard is under way, which needs a credit. Raises what an earlier shard was refused for."""
        self.wait(until_pending=self.credits - 1)
        header = ShardHeader(
            task_id=self.attempt.task_id,
            attempt=self.attempt.attempt,
            shard=shard.shard,
            image_count=shard.image_count,
            box_count=shard.box_count,
            sha256=hashlib.sha256(shard.payload).hexdigest(),
            mask_bytes=shard.mask_bytes,
        )
        self.pending[shard.shard] = Pending((header.SerializeToString(), shard.payload))
        self.transmit(self.pending[shard.shard])

    def flush(self) -> None:
        """Returns once every shard is committed."""
        self.wait(until_pending=0)

    def wait(self, until_pending: int) -> None:
        """Takes replies, and repeats shards that are overdue, until no more than so many shards are unanswered."""
        while self.take_replies() > until_pending:
            if self.cancelled.is_set():
                raise cancelled_error()
            self.resend_overdue()
            self.socket.poll(POLL_MS)

    def take_replies(self) -> int:
        """Handles the replies that have arrived. Returns the number of shards that are still unanswered."""
        while self.socket.poll(0):
            self.handle(ShardReply.FromString(self.socket.recv()))
        return len(self.pending)

    def handle(self, reply: ShardReply) -> None:
        pending = self.pending.get(reply.shard)
        if reply.task_id != self.attempt.task_id or pending is None:
            return  # The answer to a repetition of a shard that was answered before.
        if not reply.HasField("error"):
            del self.pending[reply.shard]
            return
        error = from_error_detail(reply.error)
        pending.refusals += 1
        if error.reason != "FRAME_INVALID" or pending.refusals == MAX_REFUSALS:
            raise error
        pending.unanswered_sends = 0
        self.transmit(pending)

    def resend_overdue(self) -> None:
        for pending in self.pending.values():
            if pending.resend_at > time.monotonic():
                continue
            if pending.unanswered_sends == MAX_UNANSWERED_SENDS:
                raise unreachable(self.endpoint)
            self.transmit(pending)

    def transmit(self, pending: Pending) -> None:
        pending.unanswered_sends += 1
        pending.resend_at = time.monotonic() + self.resend_seconds
        # Where the connection is down and its queue full, the shard stays pending and is sent again when it is due.
        with suppress(zmq.Again):
            self.socket.send_multipart(pending.parts, flags=zmq.NOBLOCK)


def unreachable(endpoint: str) -> CasslError:
    return CasslError(
        "CONTROLLER_UNREACHABLE",
        f"The controller does not answer prediction frames at {endpoint}.",
        "Check that this machine may connect to that address, as it may to the controller's own.",
    )
