"""The worker's side of ArtifactService: files by the hash of their bytes, through a local cache."""

import hashlib
import itertools
import tempfile
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TypeVar

import grpc

from cassl.v1.artifact_service_pb2 import (
    ArtifactRef,
    GetArtifactRequest,
    PutArtifactRequest,
    StatArtifactRequest,
)
from cassl.v1.artifact_service_pb2_grpc import ArtifactServiceStub

from cassl_worker.channel import UNARY_DEADLINE_SECONDS, backoff
from cassl_worker.error_details import cancelled_error, from_rpc_error
from cassl_worker.errors import CasslError

CHUNK_BYTES = 256 * 1024
MAX_RETRIES = 5
"""Of an RPC that the controller does not answer and that can be done without: about 6 s."""

T = TypeVar("T")


class ArtifactCache:
    """A folder of artifacts; several workers may share it. A path that `find` or `add` gave stays valid.

    STORAGE_FAILED if there can be no such folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.verified: set[str] = set()
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CasslError(
                "STORAGE_FAILED",
                f"Artifacts have no place: {error}.",
                "Give a folder that can be written to with --cache.",
            ) from error

    def find(self, sha256: str) -> Path | None:
        """The file, hashed when this process meets it first. One that was damaged since it was stored is removed."""
        path = self.path(sha256)
        if not path.exists():
            return None
        if sha256 not in self.verified:
            if hash_file(path) != sha256:
                path.unlink(missing_ok=True)
                return None
            self.verified.add(sha256)
        return path

    def add(self, sha256: str, chunks: Iterator[bytes]) -> Path:
        """Stores the bytes if they have the hash, else ARTIFACT_CORRUPT. No reader ever sees half a file."""
        path = self.path(sha256)
        path.parent.mkdir(exist_ok=True)
        digest = hashlib.sha256()
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".partial-", delete=False) as partial:
            try:
                for chunk in chunks:
                    digest.update(chunk)
                    partial.write(chunk)
                partial.close()
                if digest.hexdigest() != sha256:
                    raise corrupt(sha256, digest.hexdigest())
                Path(partial.name).replace(path)
            finally:
                Path(partial.name).unlink(missing_ok=True)
        self.verified.add(sha256)
        return path

    def path(self, sha256: str) -> Path:
        return self.folder / sha256[:2] / sha256


class Artifacts:
    """The controller's artifacts, as one task sees them: once the task is cancelled, CANCELLED is raised."""

    def __init__(self, channel: grpc.Channel, address: str, cache: ArtifactCache, cancelled: threading.Event) -> None:
        self.stub = ArtifactServiceStub(channel)
        self.address = address
        self.cache = cache
        self.cancelled = cancelled

    def fetch(self, sha256: str) -> Path:
        """A local file with the artifact's bytes, for reading only. ARTIFACT_NOT_FOUND, ARTIFACT_CORRUPT."""
        return self.cache.find(sha256) or self.retrying(lambda: self.cache.add(sha256, self.download(sha256)))

    def store(self, path: Path) -> ArtifactRef:
        """Brings a file to the controller, unless it is there already. Waits for a controller that is away."""
        return self.store_within(path, None)

    def try_store(self, path: Path) -> ArtifactRef | None:
        """As `store`, but gives up after some seconds: None if the controller is away."""
        try:
            return self.store_within(path, MAX_RETRIES)
        except CasslError as error:
            if error.reason != "CONTROLLER_UNREACHABLE":
                raise
            return None

    def store_within(self, path: Path, max_retries: int | None) -> ArtifactRef:
        ref = ArtifactRef(sha256=hash_file(path), size_bytes=path.stat().st_size)
        request = StatArtifactRequest(sha256=ref.sha256)
        stat = partial(self.stub.StatArtifact, request, timeout=UNARY_DEADLINE_SECONDS)
        if not self.retrying(stat, max_retries).HasField("ref"):
            self.retrying(lambda: self.stub.PutArtifact(self.upload(ref, path)), max_retries)
        return ref

    def download(self, sha256: str) -> Iterator[bytes]:
        call = self.stub.GetArtifact(GetArtifactRequest(sha256=sha256))
        try:
            for response in call:
                self.check_cancelled()
                yield response.chunk
        finally:
            call.cancel()

    def upload(self, ref: ArtifactRef, path: Path) -> Iterator[PutArtifactRequest]:
        yield PutArtifactRequest(ref=ref)
        with path.open("rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                if self.cancelled.is_set():
                    # gRPC logs what is raised here. The controller refuses what is cut off, which ends the call.
                    return
                yield PutArtifactRequest(chunk=chunk)

    def retrying(self, call: Callable[[], T], max_retries: int | None = None) -> T:
        """The result of an RPC, which is repeated only while the controller does not answer; None: for ever."""
        delays = itertools.islice(backoff(), max_retries)
        while True:
            self.check_cancelled()
            try:
                return call()
            except grpc.RpcError as error:
                self.check_cancelled()
                delay = next(delays, None) if is_unavailable(error) else None
                if delay is None:
                    raise from_rpc_error(error, self.address) from error
            self.cancelled.wait(delay)

    def check_cancelled(self) -> None:
        if self.cancelled.is_set():
            raise cancelled_error()


def hash_file(path: Path) -> str:
    """SHA-256, lower-case hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def is_unavailable(error: grpc.RpcError) -> bool:
    assert isinstance(error, grpc.Call)
    return error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)


def corrupt(sha256: str, actual: str) -> CasslError:
    return CasslError(
        "ARTIFACT_CORRUPT",
        f"The bytes that arrived as artifact {sha256} have the hash {actual}.",
        "Run the same configuration again; if this stays, remove the artifact from the controller's workspace.",
    )
