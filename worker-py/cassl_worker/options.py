"""The command line of cassl-worker."""

import argparse
import os
import re
import socket
from collections.abc import Sequence
from pathlib import Path

from cassl_worker.version import VERSION

HIGHEST_PORT = 2**16 - 1


def parse_options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        "cassl-worker", description="Attaches to a controller and does its training, prediction and export tasks."
    )
    parser.add_argument("--controller", metavar="HOST:PORT", type=address, required=True, help="address to attach to")
    parser.add_argument("--name", default=f"{socket.gethostname()}-{os.getpid()}", help="what operators see")
    environment = os.environ.get
    parser.add_argument(
        "--token-file",
        metavar="FILE",
        type=Path,
        default=environment("CASSL_TOKEN_FILE"),
        help="file with a token of `cassl token create` (or the token in $CASSL_TOKEN)",
    )
    parser.add_argument(
        "--tls-ca",
        metavar="FILE",
        default=environment("CASSL_TLS_CA"),
        help="speak TLS, and trust these certificates (PEM); `system`: those of the system",
    )
    parser.add_argument("--tls-cert", metavar="FILE", type=Path, help="own certificate, where one is demanded (PEM)")
    parser.add_argument("--tls-key", metavar="FILE", type=Path, help="its key (PEM)")
    parser.add_argument("--cache", metavar="DIR", type=Path, help="keep artifacts here")
    parser.add_argument(
        "--scratch", metavar="DIR", type=Path, help="keep files of tasks here (default: where the system does)"
    )
    parser.add_argument(
        "--processes",
        metavar="N",
        type=process_count,
        help="divide a training over so many processes of this machine (default: one for each GPU)",
    )
    parser.add_argument(
        "--preempted-exit-code",
        metavar="N",
        type=exit_code,
        default=0,
        help="end with this code when SIGTERM has drained it, so that a batch system can tell (default: 0)",
    )
    parser.add_argument(
        "--reserved-for",
        metavar="TASK-ATTEMPT",
        type=attempt,
        help="do this attempt at a task alone, then leave; give up where the controller stays away",
    )
    parser.add_argument("--exit-on-stdin-eof", action="store_true", help="exit when standard input closes")
    parser.add_argument("--version", action="version", version=VERSION)
    return parser.parse_args(arguments)


def address(text: str) -> str:
    found = re.fullmatch(r"(?:\[[^\]]+\]|[^:]+):([0-9]+)", text)
    # gRPC would dial another port than one above the highest.
    if found is None or not 0 < int(found[1]) <= HIGHEST_PORT:
        raise argparse.ArgumentTypeError(f"`{text}` is not HOST:PORT, such as 127.0.0.1:7070")
    return text


def process_count(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"`{text}` is not a number of processes, such as 2")
    return int(text)


def exit_code(text: str) -> int:
    if not text.isdigit() or int(text) > 255:
        raise argparse.ArgumentTypeError(f"`{text}` is not an exit code, 0 to 255")
    return int(text)


def attempt(text: str) -> tuple[str, int]:
    """Task id and number."""
    task_id, _, number = text.rpartition("-")
    if not task_id or not number.isdigit():
        raise argparse.ArgumentTypeError(f"`{text}` is not TASK-ATTEMPT, such as 3f2a-1")
    return task_id, int(number)
