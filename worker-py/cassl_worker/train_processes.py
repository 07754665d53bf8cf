"""One training in several processes of this machine, one for each GPU, or on CPUs for a part of the cores each.

It is torchrun's kind of start, without its agent and without an open port: the processes meet by a file.
"""

import multiprocessing
import os
import signal
import threading
import time
import traceback
from collections.abc import Generator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path

import torch

from cassl_worker import distributed
from cassl_worker.device import device_of_rank, release_memory
from cassl_worker.errors import CasslError
from cassl_worker.records import Event
from cassl_worker.training import Training, training_events

PAUSE, END = "pause", "end"
POLL_SECONDS = 0.2
FAILURE_SECONDS = 2.0
"""Within which a process that ended makes the others fail too: the cause is looked for among all that say something."""


NAMED = (CasslError, MemoryError, OSError, torch.OutOfMemoryError)
"""What `to_error_detail` tells from a fault of the program."""


@dataclass(frozen=True)
class Failure:
    """error: None: it is none that cassl has a name for."""

    error: Exception | None
    trace: str


@dataclass
class Member:
    """A process, as who started it sees it."""

    rank: int
    process: SpawnProcess
    pipe: Connection
    failure: Failure | None = None
    has_ended: bool = False


def train_in_processes(training: Training, count: int, scratch: Path, pause: threading.Event) -> Generator[Event]:
    """The events of a training in `count` processes; closing it ends them.

    TRAINING_PROCESS_LOST if one of them dies, and what one of them fails with.
    """
    release_memory()
    members = [start(training, rank, count, scratch) for rank in range(count)]
    try:
        yield from events_of(members, pause)
    finally:
        for member in members:
            # Not by SIGTERM: they may be waiting for each other.
            member.process.kill()
            member.process.join()
            member.pipe.close()


def start(training: Training, rank: int, count: int, scratch: Path) -> Member:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    folder = scratch / f"process-{rank}"
    folder.mkdir()
    arguments = (training, rank, count, scratch / "rendezvous", folder, theirs)
    process = context.Process(target=work, args=arguments, name=f"training process {rank}", daemon=True)
    process.start()
    theirs.close()
    return Member(rank, process, ours)


def events_of(members: Sequence[Member], pause: threading.Event) -> Generator[Event]:
    told = False
    while not all(member.has_ended for member in members):
        if pause.is_set() and not told:
            told = True
            with suppress(OSError):
                members[0].pipe.send(PAUSE)
        for member in ready(members, POLL_SECONDS):
            if (event := receive(member)) is not None:
                yield event
            if member.failure is not None:
                raise cause(member, members)


def ready(members: Sequence[Member], seconds: float) -> list[Member]:
    """Those that have something to say, or have died."""
    pipes = wait([member.pipe for member in members if not member.has_ended], seconds)
    return [member for member in members if member.pipe in pipes]


def receive(member: Member) -> Event | None:
    """What the process says, if that is an event; else notes how it has ended."""
    try:
        said = member.pipe.recv()
    except (EOFError, OSError):
        member.has_ended, member.failure = True, Failure(lost(member), "")
        return None
    if said == END or isinstance(said, Failure):
        member.has_ended, member.failure = True, None if said == END else said
        return None
    event: Event = said
    return event


def lost(member: Member) -> CasslError:
    member.process.join(FAILURE_SECONDS)
    code = member.process.exitcode
    how = f"was killed by {signal.Signals(-code).name}" if code is not None and code < 0 else f"ended with code {code}"
    return CasslError(
        "TRAINING_PROCESS_LOST",
        f"Process {member.rank} of the training {how}.",
        "One that is killed mostly lacks memory: lower `images_per_batch`, or give the worker fewer --processes.",
    )


def cause(first: Member, members: Sequence[Member]) -> Exception:
    """When one process ends, those that it was joined with fail as well: an error that cassl has a name for is why.

    first: whose failure was seen first.
    """
    until = time.monotonic() + FAILURE_SECONDS
    while not any(is_named(member) for member in members) and (left := until - time.monotonic()) > 0:
        for member in ready(members, left):
            receive(member)
    guilty = next((member for member in members if is_named(member)), first)
    assert guilty.failure is not None
    trace = guilty.failure.trace
    return guilty.failure.error or RuntimeError(f"process {guilty.rank} of the training failed:\n{trace}")


def is_named(member: Member) -> bool:
    return member.failure is not None and member.failure.error is not None


def work(training: Training, rank: int, count: int, rendezvous: Path, scratch: Path, pipe: Connection) -> None:
    """The whole of a process."""
    # Whoever ends the worker, such as Slurm or a terminal, may signal all of its processes: the worker decides.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    pause = threading.Event()
    threading.Thread(target=listen, args=(pipe, pause), daemon=True).start()
    try:
        device = device_of_rank(rank, count)
        with (
            distributed.joined(rank, count, rendezvous),
            closing(training_events(training, device, scratch, pause)) as events,
        ):
            for event in events:
                pipe.send(event)
        pipe.send(END)
    except Exception as error:
        known = error if isinstance(error, NAMED) else None
        pipe.send(Failure(known, traceback.format_exc()))


def listen(pipe: Connection, pause: threading.Event) -> None:
    """Ends the process with the one that has started it."""
    with suppress(EOFError, OSError):
        while pipe.recv() == PAUSE:
            pause.set()
    os._exit(1)
