"""Failed RPCs as Google's own messages spell them."""

from base64 import b64encode
from typing import Any

import grpc
from google.protobuf import any_pb2
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import DebugInfo, ErrorInfo
from google.rpc.status_pb2 import Status

ERRORS = [
    ("RUN_NOT_FOUND", grpc.StatusCode.NOT_FOUND, "There is no run `a`.", "`cassl runs` lists the runs there are.", ""),
    ("CONFIG_INVALID", grpc.StatusCode.INVALID_ARGUMENT, "seed: -1\nname: \u00fc \U0001f4a5", "", ""),
    ("INTERNAL", grpc.StatusCode.INTERNAL, "x is not a function", "Please report this.", "TypeError: x\n    at a.ts:1"),
]
"""Reason, code, message, remedy, trace."""


def status_cases() -> list[dict[str, Any]]:
    """`status`: the bytes of a google.rpc.Status, base64."""
    cases = []
    for reason, code, message, remedy, trace in ERRORS:
        info = ErrorInfo(reason=reason, domain="cassl", metadata={"remedy": remedy} if remedy else {})
        details = [packed(info)] if trace == "" else [packed(info), packed(DebugInfo(detail=trace))]
        status = Status(code=code.value[0], message=message, details=details)
        encoded = b64encode(status.SerializeToString()).decode()
        cases.append({"reason": reason, "message": message, "remedy": remedy, "trace": trace, "status": encoded})
    return cases


def packed(message: Message) -> any_pb2.Any:
    wrapped = any_pb2.Any()
    wrapped.Pack(message)
    return wrapped
