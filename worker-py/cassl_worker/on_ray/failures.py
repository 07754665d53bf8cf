"""What a failure of Ray means."""

import re
from collections.abc import Iterator
from typing import Any

import ray

from cassl_worker.errors import CasslError

OUT_OF_MEMORY = re.compile(r"\b(OutOfMemoryError|NODE_OUT_OF_MEMORY)\b")
"""As Ray puts it where an actor has died, or an error has come as text."""


def named(error: BaseException, what: str) -> CasslError:
    """What a failure of Ray means; an error of cassl inside it as it is. what: failed, such as `The training`."""
    causes = list(causes_of(error))
    for cause in causes:
        if isinstance(cause, CasslError):
            return cause
    if any(isinstance(cause, ray.exceptions.OutOfMemoryError) or OUT_OF_MEMORY.search(str(cause)) for cause in causes):
        return CasslError(
            "RAY_OUT_OF_MEMORY",
            f"{what} was ended because a node ran out of memory: {last_line(error)}",
            "Lower images_per_batch or the input size, or raise `memory_gb` in the file of --ray.",
        )
    return CasslError(
        "RAY_JOB_FAILED",
        f"{what} failed on Ray: {last_line(error)}",
        "Look at the job's log in Ray's dashboard.",
    )


def causes_of(error: BaseException) -> Iterator[BaseException]:
    """The error, and all that it says it comes from."""
    seen: list[BaseException] = []
    waiting: list[Any] = [error]
    while waiting:
        one = waiting.pop(0)
        if not isinstance(one, BaseException) or one in seen:
            continue
        seen.append(one)
        yield one
        waiting += [one.__cause__, getattr(one, "cause", None), *getattr(one, "worker_failures", {}).values()]


def first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def last_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
