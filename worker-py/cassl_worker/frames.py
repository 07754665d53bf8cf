"""The data plane: prediction shards to the controller's ZeroMQ ROUTER. See proto/cassl/v1/prediction_frame.proto."""

import hashlib
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType

import zmq

from cassl.v1.prediction_frame_pb2 import ShardHeader, ShardReply
from cassl.v1.worker_service_pb2 import FrameKeys, TaskAttempt

from cassl_worker.error_details import cancelled_error, from_error_detail
from cassl_worker.errors import CasslError
from cassl_worker.records import Shard

FRAME_VERSION = 2
RESEND_SECONDS = 5.0
MAX_UNANSWERED_SENDS = 24
"""Two minutes while attached. Whether the controller lives at all is the session's to find out."""
MAX_REFUSALS = 5
"""A frame may be damaged on its way, but not again and again."""
POLL_MS = 100
"""How soon a cancellation, a new route and a due repetition are noticed."""
HEARTBEAT_MS = 5_000
HEARTBEAT_TIMEOUT_MS = 15_000
"""A connection over which nothing came back for so long is dead, whatever TCP says."""
MAX_RECONNECT_MS = 5_000
MAX_REPLY_BYTES = 1 << 20


@dataclass(frozen=True)
class Route:
    """Where frames go and what they are known by. A new one comes with every welcome.

    Attributes:
        endpoint: of the controller's ROUTER, such as tcp://127.0.0.1:40123.
        token: goes into every header.
        keys: of the controller and for this worker. None: frames go in the clear, which loopback allows.
    """

    endpoint: str
    token: bytes
    keys: FrameKeys | None = None


FindRoute = Callable[[], Route | None]
"""None while the worker is not attached."""


@dataclass
class Pending:
    """A shard that the controller has not answered."""

    shard: Shard
    sha256: str
    resend_at: float = 0.0
    unanswered_sends: int = 0
    refusals: int = 0


class ShardSender:
    """Brings the shards of one attempt to the controller, each until it is committed.

    Args:
        find_route: asked again and again: the route changes when the worker attaches again.
        credit_bytes: of shards that may be under way without a reply; one shard may be in any case.
        cancelled: once it is set, waiting raises CANCELLED.
    """

    def __init__(
        self,
        find_route: FindRoute,
        attempt: TaskAttempt,
        credit_bytes: int,
        cancelled: threading.Event,
        resend_seconds: float = RESEND_SECONDS,
    ) -> None:
        self.find_route = find_route
        self.attempt = attempt
        self.credit_bytes = credit_bytes
        self.cancelled = cancelled
        self.resend_seconds = resend_seconds
        self.pending: dict[int, Pending] = {}
        self.route: Route | None = None
        self.context = zmq.Context()
        self.socket: zmq.Socket[bytes] | None = None

    def __enter__(self) -> "ShardSender":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.context.destroy(linger=0)

    def send(self, shard: Shard) -> None:
        """Returns once the shard is under way, which needs credit. Raises what an earlier shard was refused for."""
        self.wait(until_bytes=max(0, self.credit_bytes - len(shard.payload)))
        pending = Pending(shard, hashlib.sha256(shard.payload).hexdigest())
        self.pending[shard.shard] = pending
        self.transmit(pending)

    def flush(self) -> None:
        """Returns once every shard is committed."""
        self.wait(until_bytes=-1)

    def wait(self, until_bytes: int) -> None:
        """Takes replies, and repeats shards that are overdue, until no more than so many bytes are unanswered.

        until_bytes: -1 waits for the last shard, even if it is empty.
        """
        self.follow_route()
        self.take_replies()
        while self.pending and self.pending_bytes() > until_bytes:
            if self.cancelled.is_set():
                raise cancelled_error()
            self.resend_overdue()
            if self.socket is None:
                self.cancelled.wait(POLL_MS / 1000)
            else:
                self.socket.poll(POLL_MS)
            self.follow_route()
            self.take_replies()

    def pending_bytes(self) -> int:
        return sum(len(pending.shard.payload) for pending in self.pending.values())

    def follow_route(self) -> None:
        """Where the route has changed, connects anew and sends again what is unanswered."""
        route = self.find_route()
        if route == self.route:
            return
        self.route = route
        if self.socket is not None:
            self.socket.close(linger=0)
        self.socket = None if route is None else self.connect(route)
        for pending in self.pending.values():
            pending.unanswered_sends = 0
            self.transmit(pending)

    def connect(self, route: Route) -> "zmq.Socket[bytes]":
        socket = self.context.socket(zmq.DEALER)
        socket.linger = 0
        # Replies free the queue; what the credits allow is more than this only for the smallest of shards.
        socket.sndhwm = 1000
        socket.maxmsgsize = MAX_REPLY_BYTES
        socket.heartbeat_ivl = HEARTBEAT_MS
        socket.heartbeat_timeout = HEARTBEAT_TIMEOUT_MS
        socket.reconnect_ivl_max = MAX_RECONNECT_MS
        socket.ipv6 = True
        if route.keys is not None:
            socket.curve_serverkey = route.keys.server_public_key.encode()
            socket.curve_publickey = route.keys.client_public_key.encode()
            socket.curve_secretkey = route.keys.client_secret_key.encode()
        socket.connect(route.endpoint)
        return socket

    def take_replies(self) -> None:
        while self.socket is not None and self.socket.poll(0):
            self.handle(ShardReply.FromString(self.socket.recv()))

    def handle(self, reply: ShardReply) -> None:
        pending = self.pending.get(reply.shard)
        if reply.task_id != self.attempt.task_id or pending is None:
            return  # The answer to a repetition of a shard that was answered before.
        if not reply.HasField("error"):
            del self.pending[reply.shard]
            return
        error = from_error_detail(reply.error)
        if error.reason == "WORKER_UNKNOWN":
            return  # The session will notice, and attach again.
        pending.refusals += 1
        if error.reason != "FRAME_INVALID" or pending.refusals == MAX_REFUSALS:
            raise error
        pending.unanswered_sends = 0
        self.transmit(pending)

    def resend_overdue(self) -> None:
        if self.route is None:
            return
        for pending in self.pending.values():
            if pending.resend_at > time.monotonic():
                continue
            if pending.unanswered_sends == MAX_UNANSWERED_SENDS:
                raise unreachable(self.route.endpoint)
            self.transmit(pending)

    def transmit(self, pending: Pending) -> None:
        if self.socket is None or self.route is None:
            return  # It is sent when there is a route.
        pending.unanswered_sends += 1
        pending.resend_at = time.monotonic() + self.resend_seconds
        shard = pending.shard
        header = ShardHeader(
            version=FRAME_VERSION,
            token=self.route.token,
            task_id=self.attempt.task_id,
            attempt=self.attempt.attempt,
            shard=shard.shard,
            image_count=shard.image_count,
            box_count=shard.box_count,
            sha256=pending.sha256,
            mask_bytes=shard.mask_bytes,
        )
        # Where the connection is down and its queue full, the shard stays pending and is sent again when it is due.
        with suppress(zmq.Again):
            self.socket.send_multipart((header.SerializeToString(), shard.payload), flags=zmq.NOBLOCK)


def unreachable(endpoint: str) -> CasslError:
    return CasslError(
        "CONTROLLER_UNREACHABLE",
        f"The controller does not answer prediction frames at {endpoint}.",
        "Check that this machine may connect to that address, as it may to the controller's own.",
    )
