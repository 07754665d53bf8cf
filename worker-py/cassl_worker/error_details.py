"""The converters between the worker's errors and those on the wire."""

import errno
import sys
import traceback
from contextlib import suppress

import grpc
from google.protobuf.message import DecodeError
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status

from cassl.v1.error_reason_pb2 import ErrorDetail, ErrorReason

from cassl_worker.errors import CasslError
from cassl_worker.tls_failures import tls_failure

PREFIX = "ERROR_REASON_"
STATUS_KEY = "grpc-status-details-bin"
"""Trailing metadata of a failed RPC that holds a google.rpc.Status."""
DOMAIN = "cassl"


def to_error_detail(error: Exception) -> ErrorDetail:
    """What failed a task, as the controller shows it."""
    if isinstance(error, CasslError):
        return to_detail(error)
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return to_detail(storage_failed(error))
    if is_out_of_memory(error):
        return to_detail(out_of_memory(error))
    return ErrorDetail(
        reason=ErrorReason.ERROR_REASON_INTERNAL,
        message=f"{type(error).__name__}: {error}",
        remedy="Please report this with the trace.",
        trace="".join(traceback.format_exception(error)),
    )


def from_error_detail(detail: ErrorDetail) -> CasslError:
    return CasslError(ErrorReason.Name(detail.reason).removeprefix(PREFIX), detail.message, detail.remedy)


def from_rpc_error(error: grpc.RpcError, address: str) -> CasslError:
    """address: the controller's, for the message where the RPC did not come through to it."""
    assert isinstance(error, grpc.Call)
    for key, value in error.trailing_metadata() or ():
        if key == STATUS_KEY and (answer := from_status(value)) is not None:
            return answer
    if error.code() == grpc.StatusCode.UNIMPLEMENTED:
        return CasslError(
            "VERSION_MISMATCH",
            f"What answers at {address} is no controller of this version: {error.details()}.",
            "Install the same version of cassl on both sides.",
        )
    details = error.details() or ""
    return tls_failure(details, address) or CasslError(
        "CONTROLLER_UNREACHABLE",
        f"The controller at {address} does not answer: {error.code().name}: {details}.",
        "Check that it runs, that this machine may connect to the address, and whether it wants --tls-ca.",
    )


def from_status(encoded: bytes) -> CasslError | None:
    """What the controller answered. None if the status comes from something before it, such as a proxy."""
    info = ErrorInfo()
    with suppress(DecodeError):
        status = Status.FromString(encoded)
        for detail in status.details:
            if detail.Unpack(info) and info.domain == DOMAIN:
                return CasslError(info.reason, status.message, info.metadata["remedy"])
    return None


def cancelled_error() -> CasslError:
    return CasslError("CANCELLED", "The task was cancelled.", "Run the same configuration again to go on.")


def to_detail(error: CasslError) -> ErrorDetail:
    return ErrorDetail(reason=f"{PREFIX}{error.reason}", message=error.message, remedy=error.remedy)


def is_out_of_memory(error: Exception) -> bool:
    # Where torch is not loaded, its error cannot have been raised; loading it just to ask takes seconds.
    torch = sys.modules.get("torch")
    return isinstance(error, MemoryError) or (torch is not None and isinstance(error, torch.OutOfMemoryError))


def out_of_memory(error: Exception) -> CasslError:
    return CasslError(
        "WORKER_FAILED",
        f"The worker ran out of memory: {error}",
        "Lower `images_per_batch` or the input size, or use a machine with more memory.",
    )


def storage_failed(error: OSError) -> CasslError:
    return CasslError(
        "STORAGE_FAILED",
        f"The worker's disk is full: {error}",
        "Free space in the worker's temporary folder (TMPDIR) and in its --cache folder, then run again.",
    )
