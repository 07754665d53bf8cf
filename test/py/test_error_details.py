"""Errors of a task as the controller sees them."""

import errno

import pytest
import torch

from cassl.v1.error_reason_pb2 import ErrorReason

from cassl_worker.error_details import from_error_detail, to_error_detail
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
