"""A small controller on real sockets: WorkerService, ArtifactService and a ZeroMQ ROUTER, as the tests need them."""

import hashlib
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any

import grpc
import zmq
from google.protobuf import any_pb2
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status
from grpc_status import rpc_status

from cassl.v1 import artifact_service_pb2_grpc, worker_service_pb2_grpc
from cassl.v1.artifact_service_pb2 import (
    ArtifactRef,
    GetArtifactRequest,
    GetArtifactResponse,
    PutArtifactRequest,
    PutArtifactResponse,
    StatArtifactRequest,
    StatArtifactResponse,
)
from cassl.v1.prediction_frame_pb2 import ShardHeader, ShardReply
from cassl.v1.worker_service_pb2 import (
    AttachRequest,
    AttachResponse,
    Register,
    ResultReceived,
    TaskAttempt,
    TaskResult,
    Welcome,
)

from cassl_worker.version import VERSION

HEARTBEAT_SECONDS = 0.05
FRAMES_TOKEN = b"token"
TIMEOUT_SECONDS = 60.0
"""A test that waits so long has failed."""

Answer = Callable[[ShardHeader, bytes], ShardReply | None]


class AttachedWorker:
    """The controller's end of a worker's stream."""

    def __init__(self, register: Register) -> None:
        self.register = register
        self.received: SimpleQueue[AttachRequest | None] = SimpleQueue()
        self.outbox: SimpleQueue[AttachResponse | None] = SimpleQueue()
        self.acknowledged: list[TaskAttempt] = []

    def send(self, **message: Any) -> None:
        self.outbox.put(AttachResponse(**message))

    def next(self, kind: str, until: Callable[[Any], bool] = lambda _: True) -> Any:
        """The next message of a kind, or of an event, that fits; what comes before it is dropped."""
        while (request := self.received.get(timeout=TIMEOUT_SECONDS)) is not None:
            message = getattr(request, str(request.WhichOneof("message")))
            if request.WhichOneof("message") == "event":
                if message.WhichOneof("event") == kind and until(getattr(message, kind)):
                    return getattr(message, kind)
            elif request.WhichOneof("message") == kind and until(message):
                return message
        raise AssertionError(f"the stream ended without {kind}")

    def result(self) -> TaskResult:
        """The next new result, which is acknowledged: a worker says one again until it hears that it arrived."""
        result = self.next("result", lambda result: result.task_attempt not in self.acknowledged)
        assert isinstance(result, TaskResult)
        self.send(result_received=ResultReceived(task_attempt=result.task_attempt))
        self.acknowledged.append(result.task_attempt)
        return result

    def wait_for_end(self) -> None:
        while self.received.get(timeout=TIMEOUT_SECONDS) is not None:
            pass


class Workers(worker_service_pb2_grpc.WorkerServiceServicer):
    def __init__(self, frames_endpoint: str, version: str) -> None:
        self.frames_endpoint = frames_endpoint
        self.version = version
        self.attached: SimpleQueue[AttachedWorker] = SimpleQueue()

    def Attach(
        self, request_iterator: Iterator[AttachRequest], context: grpc.ServicerContext
    ) -> Iterator[AttachResponse]:
        register = next(request_iterator).register
        if register.version != self.version:
            refuse(context, "VERSION_MISMATCH", "Too old.", "Update it.")
        worker = AttachedWorker(register)
        context.add_callback(lambda: worker.outbox.put(None))
        threading.Thread(target=self.read, args=(request_iterator, worker), daemon=True).start()
        worker.send(
            welcome=Welcome(
                worker_id="worker-1",
                frames_endpoint=self.frames_endpoint,
                heartbeat_seconds=HEARTBEAT_SECONDS,
                frames_token=FRAMES_TOKEN,
            )
        )
        self.attached.put(worker)
        yield from iter(worker.outbox.get, None)

    def read(self, requests: Iterator[AttachRequest], worker: AttachedWorker) -> None:
        try:
            for request in requests:
                worker.received.put(request)
        except grpc.RpcError:
            pass  # The stream broke.
        worker.received.put(None)
        worker.outbox.put(None)


class ArtifactStore(artifact_service_pb2_grpc.ArtifactServiceServicer):
    def __init__(self) -> None:
        self.blobs: dict[str, bytes] = {}
        self.calls: list[str] = []
        self.metadata: tuple[tuple[str, str | bytes], ...] = ()
        self.unavailable_calls = 0

    def put(self, blob: bytes) -> str:
        sha256 = hashlib.sha256(blob).hexdigest()
        self.blobs[sha256] = blob
        return sha256

    def note(self, name: str, context: grpc.ServicerContext) -> None:
        self.calls.append(name)
        self.metadata = tuple((key, value) for key, value in context.invocation_metadata())
        if self.unavailable_calls > 0:
            self.unavailable_calls -= 1
            context.abort(grpc.StatusCode.UNAVAILABLE, "for a moment")

    def StatArtifact(self, request: StatArtifactRequest, context: grpc.ServicerContext) -> StatArtifactResponse:
        self.note("stat", context)
        blob = self.blobs.get(request.sha256)
        return StatArtifactResponse(ref=None if blob is None else ArtifactRef(sha256=request.sha256))

    def GetArtifact(self, request: GetArtifactRequest, context: grpc.ServicerContext) -> Iterator[GetArtifactResponse]:
        self.note("get", context)
        blob = self.blobs.get(request.sha256)
        if blob is None:
            refuse(context, "ARTIFACT_NOT_FOUND", "There is none.")
        else:
            for at in range(0, len(blob), 1000):
                yield GetArtifactResponse(chunk=blob[at : at + 1000])

    def PutArtifact(
        self, request_iterator: Iterator[PutArtifactRequest], context: grpc.ServicerContext
    ) -> PutArtifactResponse:
        self.note("put", context)
        ref = next(request_iterator).ref
        chunks = [request.chunk for request in request_iterator]
        assert all(len(chunk) <= 256 * 1024 for chunk in chunks)
        blob = b"".join(chunks)
        if (hashlib.sha256(blob).hexdigest(), len(blob)) != (ref.sha256, ref.size_bytes):
            refuse(context, "ARTIFACT_CORRUPT", "Bytes are missing.")
        self.put(blob)
        return PutArtifactResponse(ref=ref)


def commit(header: ShardHeader, _: bytes) -> ShardReply:
    return ShardReply(task_id=header.task_id, shard=header.shard)


class FrameRouter:
    """Keeps every frame that arrives. `answer` gives the reply to a shard, or None for none."""

    def __init__(self, answer: Answer = commit, endpoint: str = "tcp://127.0.0.1:*") -> None:
        self.answer = answer
        self.arrived: list[tuple[ShardHeader, bytes]] = []
        self.context = zmq.Context()
        self.socket = self.context.socket(zmq.ROUTER)
        self.socket.bind(endpoint)
        self.endpoint = self.socket.getsockopt_string(zmq.LAST_ENDPOINT)
        self.closed = threading.Event()
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self) -> None:
        while not self.closed.is_set():
            if not self.socket.poll(10):
                continue
            sender, first, payload = self.socket.recv_multipart()
            header = ShardHeader.FromString(first)
            self.arrived.append((header, payload))
            if (reply := self.answer(header, payload)) is not None:
                self.socket.send_multipart([sender, reply.SerializeToString()])

    def wait_for_frames(self, count: int) -> None:
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while len(self.arrived) < count:
            assert time.monotonic() < deadline, f"only {len(self.arrived)} frames arrived"
            time.sleep(0.01)

    def close(self) -> None:
        self.closed.set()
        self.thread.join()
        self.context.destroy(linger=0)


class Controller:
    """Serves until it is left. port: 0 for a free one."""

    def __init__(self, port: int = 0, version: str = VERSION) -> None:
        self.frames = FrameRouter()
        self.workers = Workers(self.frames.endpoint, version)
        self.artifacts = ArtifactStore()
        self.server = grpc.server(ThreadPoolExecutor(8))
        worker_service_pb2_grpc.add_WorkerServiceServicer_to_server(self.workers, self.server)
        artifact_service_pb2_grpc.add_ArtifactServiceServicer_to_server(self.artifacts, self.server)
        self.port = self.server.add_insecure_port(f"127.0.0.1:{port}")
        self.address = f"127.0.0.1:{self.port}"
        self.server.start()

    def __enter__(self) -> "Controller":
        return self

    def __exit__(self, *_: object) -> None:
        self.server.stop(None).wait()
        self.frames.close()

    def next_worker(self) -> AttachedWorker:
        return self.workers.attached.get(timeout=TIMEOUT_SECONDS)


def refuse(context: grpc.ServicerContext, reason: str, message: str, remedy: str = "") -> None:
    info = any_pb2.Any()
    info.Pack(ErrorInfo(reason=reason, domain="cassl", metadata={"remedy": remedy}))
    status = Status(code=grpc.StatusCode.FAILED_PRECONDITION.value[0], message=message, details=[info])
    context.abort_with_status(rpc_status.to_status(status))
