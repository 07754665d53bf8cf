"""cassl-worker: attaches to a controller and does its training, prediction and export tasks.

SIGTERM drains it: the task under way is checkpointed and handed back. A second SIGTERM, or SIGINT, ends it at once.

Exit codes: 0 drained, or the parent is gone; what --preempted-exit-code says where SIGTERM drained it; 1 a fault of the
worker itself; 2 usage, or a controller that does not let it in; 3 a package is missing; 130 and 143 ended by SIGINT and
SIGTERM without having drained.
"""

import argparse
import importlib.util
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NoReturn

from cassl_worker.errors import CasslError
from cassl_worker.options import parse_options
from cassl_worker.version import VERSION

if TYPE_CHECKING:
    from cassl.v1.task_pb2 import TaskOutput

    from cassl_worker.session import Session
    from cassl_worker.tasks.context import TaskContext

EXIT_FAULT, EXIT_USAGE, EXIT_INCOMPLETE, EXIT_SIGNAL = 1, 2, 3, 128
SIGNAL_LATENCY_SECONDS = 0.5
DRAIN_SECONDS = 25.0
"""Slurm kills 30 s after SIGTERM, as Kubernetes does."""
GRACE_SECONDS = 2.0
"""For the task under way to end when the worker leaves."""
DISTRIBUTIONS = {
    "PIL": "pillow",
    "aiohttp": "aiohttp",
    "fsspec": "fsspec",
    "google.protobuf": "protobuf",
    "google.rpc": "googleapis-common-protos",
    "grpc": "grpcio",
    "numpy": "numpy",
    "onnx": "onnx",
    "onnxscript": "onnxscript",
    "pyarrow": "pyarrow",
    "safetensors": "safetensors",
    "timm": "timm",
    "torch": "torch",
    "torchvision": "torchvision",
    "zmq": "pyzmq",
}
"""What to install for each module that the worker imports."""


def main() -> NoReturn:
    options = parse_options(sys.argv[1:])
    if missing := missing_distributions():
        report(f"WORKER_INCOMPLETE: {', '.join(missing)} missing. Install with: {install_command()}")
        sys.exit(EXIT_INCOMPLETE)
    code = run(options)
    sys.stdout.flush()
    # Interpreter shutdown would wait for a task that has not ended, and for threads inside torch and gRPC.
    os._exit(code)


def missing_distributions() -> list[str]:
    return [distribution for module, distribution in DISTRIBUTIONS.items() if not is_installed(module)]


def is_installed(module: str) -> bool:
    """Without importing it."""
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def install_command() -> str:
    source = Path(__file__).parents[1]
    requirement = f"{source}[torch]" if (source / "pyproject.toml").exists() else f"cassl-worker[torch]=={VERSION}"
    return f"{sys.executable} -m pip install '{requirement}'"


def run(options: argparse.Namespace) -> int:
    """Returns the exit code, whichever thread or signal is the first to give one."""
    exits: SimpleQueue[int] = SimpleQueue()
    signal.signal(signal.SIGINT, lambda *_: exits.put(EXIT_SIGNAL + signal.SIGINT))
    signal.signal(signal.SIGTERM, lambda *_: exits.put(EXIT_SIGNAL + signal.SIGTERM))
    if options.exit_on_stdin_eof:
        start_thread(lambda: exits.put(wait_for_eof()))

    from cassl_worker.capabilities import faults

    for fault in faults():
        report(fault)
    try:
        with scratch_folder(options.scratch) as folder:
            return attached(open_session(options, Path(folder)), exits, options.preempted_exit_code)
    except CasslError as error:
        report_error(error)
        return EXIT_USAGE


def scratch_folder(parent: Path | None) -> "TemporaryDirectory[str]":
    """STORAGE_FAILED if there can be none. parent: None: where the system has such."""
    try:
        return TemporaryDirectory(prefix="cassl-worker-", dir=parent, ignore_cleanup_errors=True)
    except OSError as error:
        raise CasslError(
            "STORAGE_FAILED",
            f"The files of tasks have no place: {error}.",
            "Give a folder that can be written to with --scratch.",
        ) from error


def open_session(options: argparse.Namespace, folder: Path) -> "Session":
    """folder: for the files of tasks."""
    from cassl_worker.capabilities import check_process_count
    from cassl_worker.connection import read_connection
    from cassl_worker.registration import Registration
    from cassl_worker.session import Session

    do_task, registration = task_doer(), Registration(options.name, options.reserved_for)
    if options.processes is not None:
        check_process_count(options.processes, registration.gpus)
    connection = read_connection(
        options.controller, options.token_file, options.tls_ca, options.tls_cert, options.tls_key
    )
    return Session(
        options.controller,
        registration,
        folder,
        options.cache or folder / "artifacts",
        report,
        connection,
        options.processes,
        do_task=do_task,
    )


def attached(session: "Session", exits: "SimpleQueue[int]", preempted_code: int) -> int:
    """Does tasks until there is an exit code. preempted_code: in place of 0 where SIGTERM has drained the worker."""
    preempted = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: begin_drain(session, exits, preempted))
    start_thread(lambda: exits.put(outcome(session)))
    code = first_of(exits)
    session.close(GRACE_SECONDS)
    return preempted_code if code == 0 and preempted.is_set() else code


def task_doer() -> "Callable[[TaskContext], TaskOutput]":
    """How tasks are done: in this process, or where a job of Ray has started it, by the nodes of the cluster.

    WORKER_INCOMPLETE or RAY_VERSION_MISMATCH if this Python cannot speak to the cluster.
    """
    from cassl_worker.on_ray.settings import VARIABLE, check_version, read_settings
    from cassl_worker.tasks import run_task

    if (text := os.environ.get(VARIABLE)) is None:
        return run_task
    settings = read_settings(text)
    check_version(settings)
    from cassl_worker.on_ray.job import run_on_cluster

    return partial(run_on_cluster, settings=settings)


def begin_drain(session: "Session", exits: "SimpleQueue[int]", preempted: threading.Event) -> None:
    preempted.set()

    def give_up(*_: object) -> None:
        exits.put(EXIT_SIGNAL + signal.SIGTERM)

    signal.signal(signal.SIGTERM, give_up)
    timer = threading.Timer(DRAIN_SECONDS, give_up)
    timer.daemon = True
    timer.start()
    # Not in the handler itself: it may have interrupted what holds the session's locks.
    start_thread(session.drain)


def first_of(exits: "SimpleQueue[int]") -> int:
    """Waits in steps: a signal that comes just before a wait without end would not be handled until it ends."""
    while True:
        with suppress(Empty):
            return exits.get(timeout=SIGNAL_LATENCY_SECONDS)


def start_thread(work: Callable[[], None]) -> None:
    threading.Thread(target=work, daemon=True).start()


def wait_for_eof() -> int:
    with suppress(OSError):
        while os.read(0, 4096):
            pass
    return 0


def outcome(session: "Session") -> int:
    try:
        session.run()
        return 0
    except CasslError as error:
        report_error(error)
        return EXIT_USAGE
    except Exception:
        report(traceback.format_exc())
        return EXIT_FAULT


def report_error(error: CasslError) -> None:
    report(f"{error.reason}: {error.message} {error.remedy}")


def report(line: str) -> None:
    # Whoever started the worker may have closed the pipe; that must not end a task.
    with suppress(OSError):
        print(f"cassl-worker: {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
