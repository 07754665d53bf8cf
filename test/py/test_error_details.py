"""Errors of a task as the controller sees them."""

import errno
import json
from base64 import b64decode
from pathlib import Path
from typing import Any

import grpc
import pytest
import torch
from google.rpc.status_pb2 import Status

from cassl.v1.error_reason_pb2 import ErrorReason

from cassl_worker.error_details import from_error_detail, from_rpc_error, to_error_detail
from cassl_worker.errors import CasslError


def test_an_error_of_cassl_keeps_its_words() -> None:
    detail = to_error_detail(CasslError("TRAINING_DIVERGED", "The loss is nan.", "Lower the rate."))
    assert (detail.reason, detail.trace) == (ErrorReason.ERROR_REASON_TRAINING_DIVERGED, "")
    back = from_error_detail(detail)
    assert (back.reason, back.message, back.remedy) == ("TRAINING_DIVERGED", "The loss is nan.", "Lower the rate.")


@pytest.mark.parametrize("error", [MemoryError(), torch.OutOfMemoryError("CUDA out of memory")])
def test_lack_of_memory_leads_to_smaller_batches(error: Exception) -> None:
    detail = to_error_detail(error)
    assert detail.reason == ErrorReason.ERROR_REASON_WORKER_FAILED
    assert "images_per_batch" in detail.remedy


def test_a_full_disk_is_named() -> None:
    detail = to_error_detail(OSError(errno.ENOSPC, "No space left on device"))
    assert detail.reason == ErrorReason.ERROR_REASON_STORAGE_FAILED
    assert "No space left" in detail.message


def test_anything_else_is_a_fault_with_its_trace() -> None:
    try:
        raise KeyError("x")
    except KeyError as error:
        detail = to_error_detail(error)
    assert detail.reason == ErrorReason.ERROR_REASON_INTERNAL
    assert detail.message == "KeyError: 'x'"
    assert "test_error_details.py" in detail.trace


class FailedCall(grpc.RpcError, grpc.Call):
    """An RPC that has failed, as from_rpc_error sees it."""

    def __init__(self, trailer: bytes) -> None:
        self.trailer = trailer

    def trailing_metadata(self) -> Any:
        return (("grpc-status-details-bin", self.trailer),)

    def code(self) -> grpc.StatusCode:
        return grpc.StatusCode.UNAVAILABLE

    def details(self) -> str:
        return "no upstream"


GOLDEN: list[dict[str, str]] = json.loads((Path(__file__).parents[1] / "golden" / "status.json").read_text())


@pytest.mark.parametrize("golden", GOLDEN, ids=lambda golden: golden["reason"])
def test_what_the_controller_answers_is_read(golden: dict[str, str]) -> None:
    error = from_rpc_error(FailedCall(b64decode(golden["status"])), "127.0.0.1:9")
    assert [error.reason, error.message, error.remedy] == [golden[key] for key in ("reason", "message", "remedy")]


@pytest.mark.parametrize("trailer", [Status(code=14, message="no upstream").SerializeToString(), b"\xff\xff"])
def test_what_is_no_answer_of_a_controller_counts_as_its_silence(trailer: bytes) -> None:
    error = from_rpc_error(FailedCall(trailer), "127.0.0.1:9")
    assert error.reason == "CONTROLLER_UNREACHABLE"
    assert "127.0.0.1:9" in error.message
