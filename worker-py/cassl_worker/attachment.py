"""One stream to the controller."""

import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

import grpc

from cassl.v1.worker_service_pb2 import AttachRequest, AttachResponse, Register, Welcome
from cassl.v1.worker_service_pb2_grpc import WorkerServiceStub

from cassl_worker.errors import CasslError


class Attachment:
    """A stream from `register` to its end.

    Args:
        receive: takes what the controller sends; the welcome comes first.
        beat: called as often as the controller wants to hear of the worker.
    """

    def __init__(
        self,
        channel: grpc.Channel,
        register: Register,
        receive: Callable[["Attachment", AttachResponse], None],
        beat: Callable[["Attachment"], None],
    ) -> None:
        self.on_response = receive
        self.on_beat = beat
        self.welcome: Welcome | None = None
        self.ended = threading.Event()
        self.outbox: SimpleQueue[AttachRequest | None] = SimpleQueue()
        self.send(register=register)
        self.call = WorkerServiceStub(channel).Attach(iter(self.outbox.get, None))

    def serve(self) -> None:
        """Returns when the controller ends the stream; grpc.RpcError when it breaks."""
        try:
            for response in self.call:
                self.receive(response)
        finally:
            self.ended.set()
            self.outbox.put(None)

    def receive(self, response: AttachResponse) -> None:
        kind = response.WhichOneof("message")
        if kind == "welcome":
            self.welcome = response.welcome
            threading.Thread(target=self.beat, args=(response.welcome.heartbeat_seconds,), daemon=True).start()
        elif self.welcome is None:
            raise unwelcome(kind)
        self.on_response(self, response)

    def beat(self, seconds: float) -> None:
        while not self.ended.wait(seconds):
            self.on_beat(self)

    def send(self, **message: Any) -> None:
        """Any thread may call this. What is sent when the stream breaks may be lost."""
        self.outbox.put(AttachRequest(**message))

    def finish(self) -> None:
        """Ends our side of the stream after what is in the outbox; the controller ends the other in turn."""
        self.outbox.put(None)

    def close(self) -> None:
        """Breaks the stream off. Any thread may call this."""
        self.call.cancel()


def unwelcome(kind: str | None) -> CasslError:
    return CasslError(
        "VERSION_MISMATCH",
        f"The controller's first message is `{kind}`, not `welcome`.",
        "Install the same version of cassl on both sides.",
    )
