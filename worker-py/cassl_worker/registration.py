"""What a worker says of itself when it attaches."""

import os
import socket
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

from cassl.v1.worker_service_pb2 import Gpu, HeldLease, Register, TaskAttempt

from cassl_worker.capabilities import backends, devices, find_gpus, memory_bytes, versions
from cassl_worker.detectors import backend_of, families
from cassl_worker.version import VERSION


@dataclass(frozen=True)
class Registration:
    """Found once; only what the worker holds changes.

    Attributes:
        name: what operators know the worker by.
        reserved_for: id of the task and number of the attempt that the worker does alone.
        instance: tells this process from others of the name.
    """

    name: str
    reserved_for: tuple[str, int] | None = None
    gpus: list[Gpu] = field(default_factory=find_gpus)
    backends: list[str] = field(default_factory=backends)
    instance: str = field(default_factory=lambda: uuid.uuid4().hex)

    def holding(self, held: Sequence[HeldLease]) -> Register:
        return Register(
            name=self.name,
            version=VERSION,
            pid=os.getpid(),
            host=socket.gethostname(),
            devices=devices(self.gpus),
            families=[family for family in families() if backend_of(family) in self.backends],
            backends=self.backends,
            memory_bytes=memory_bytes(),
            gpus=self.gpus,
            versions=versions(),
            instance=self.instance,
            held=held,
            reserved_for=self.reserved_for and TaskAttempt(task_id=self.reserved_for[0], attempt=self.reserved_for[1]),
        )
