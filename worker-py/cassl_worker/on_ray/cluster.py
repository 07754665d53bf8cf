"""The cluster as a job sees it: what its nodes have, and what they share."""

import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import ray
from pyarrow import fs
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from cassl_worker.errors import CasslError
from cassl_worker.on_ray.settings import GB, Demand

LOOK_SECONDS = 2.0
PROBE_SECONDS = 60.0
"""For a node to read a file of a few bytes; it may have to start a process for it."""

Node = Mapping[str, Any]


def join() -> None:
    """Makes this process the driver of its job."""
    if not ray.is_initialized():
        ray.init(log_to_driver=False)


def wait_for_node(demand: Demand, seconds: float) -> None:
    """Returns once a node has what a process asks for, whoever uses it; an autoscaler may be adding one.

    RAY_RESOURCES_MISSING if there is none by then.
    """
    until = time.monotonic() + seconds
    while not any(has(node, demand) for node in living()):
        if time.monotonic() > until:
            raise missing(demand, living())
        time.sleep(LOOK_SECONDS)


def living() -> list[Node]:
    return [node for node in ray.nodes() if node["Alive"]]


def has(node: Node, demand: Demand) -> bool:
    return not lacks(node, demand)


def lacks(node: Node, demand: Demand) -> list[str]:
    """What the node does not have of what is asked for, in words."""
    resources, labels = node["Resources"], node.get("Labels", {})
    amounts = [amount_text(name, it) for name, it in demand.amounts().items() if it > resources.get(name, 0)]
    selectors = [
        f"the label {key}={value}" for key, value in demand.labels.items() if not meets(labels.get(key), value)
    ]
    return amounts + selectors


def meets(label: str | None, selector: str) -> bool:
    """Ray's selectors: `value`, `!value`, `in(a, b)`, `!in(a, b)`."""
    wanted, is_negated = selector.removeprefix("!"), selector.startswith("!")
    if wanted.startswith("in(") and wanted.endswith(")"):
        values = [value.strip() for value in wanted[3:-1].split(",")]
    else:
        values = [wanted]
    return (label in values) != is_negated


def amount_text(name: str, amount: float) -> str:
    return f"{amount / GB:g} GB of memory" if name == "memory" else f"{amount:g} {name}"


def missing(demand: Demand, nodes: Sequence[Node]) -> CasslError:
    by_node = [f"{node['NodeManagerAddress']} lacks {' and '.join(lacks(node, demand))}" for node in nodes[:3]]
    more = [f"{len(nodes) - 3} more lack something too"] if len(nodes) > 3 else []
    return CasslError(
        "RAY_RESOURCES_MISSING",
        f"No node of the cluster has what a process of the task asks for: {'; '.join([*by_node, *more])}.",
        "Ask for less in the file of --ray, or add a node that has it.",
    )


class Storage:
    """Files that all nodes share, by name.

    Args:
        place: folder or URI.
        folder: of one attempt, in it; it is there after `make`.

    Raises:
        CasslError: RAY_STORAGE_NOT_SHARED where there is no such place.
    """

    def __init__(self, place: str, folder: str) -> None:
        self.place, self.name = place, folder
        try:
            self.files, path = fs.FileSystem.from_uri(place)
        except (pa.ArrowException, OSError) as error:
            raise not_shared(place, [f"it cannot be opened: {first_line(error)}"]) from error
        self.folder = f"{path.rstrip('/')}/{folder}"

    def make(self) -> None:
        self.files.create_dir(self.folder, recursive=True)

    def write(self, name: str, content: bytes) -> None:
        """No reader sees half of it. Makes no folder: who writes after `remove_all` would leave one behind."""
        partial = f"{self.folder}/.partial-{uuid.uuid4().hex}"
        with self.files.open_output_stream(partial) as stream:
            stream.write(content)
        self.files.move(partial, f"{self.folder}/{name}")

    def read(self, name: str) -> bytes:
        """FileNotFoundError."""
        with self.files.open_input_stream(f"{self.folder}/{name}") as stream:
            content: bytes = stream.read()
        return content

    def names(self) -> list[str]:
        infos = self.files.get_file_info(fs.FileSelector(self.folder, allow_not_found=True))
        return sorted(info.base_name for info in infos if not info.base_name.startswith("."))

    def remove(self, name: str) -> None:
        self.files.delete_file(f"{self.folder}/{name}")

    def remove_all(self) -> None:
        self.files.delete_dir(self.folder)


def check_shared(storage: Storage) -> None:
    """RAY_STORAGE_NOT_SHARED unless every node reads what this process has written."""
    name, content = f"probe-{uuid.uuid4().hex}", uuid.uuid4().bytes
    try:
        storage.make()
        storage.write(name, content)
    except OSError as error:
        raise not_shared(storage.place, [f"the driver cannot write there: {error}"]) from error
    try:
        faults = list(probe_faults(storage, name, content))
    finally:
        with suppress(OSError):
            storage.remove(name)
    if faults:
        raise not_shared(storage.place, faults)


def probe_faults(storage: Storage, name: str, content: bytes) -> Iterator[str]:
    """Of nodes that are alive: what has died meanwhile shares nothing, and need not."""
    readings = {}
    for node in living():
        strategy = NodeAffinitySchedulingStrategy(node_id=node["NodeID"], soft=False)
        read = ray.remote(read_probe).options(num_cpus=0, scheduling_strategy=strategy, max_retries=0)
        readings[node["NodeManagerAddress"], node["NodeID"]] = read.remote(storage.place, storage.name, name)
    for (address, node_id), reading in readings.items():
        try:
            found = ray.get(reading, timeout=PROBE_SECONDS)
        except ray.exceptions.RayError as error:
            if any(node["NodeID"] == node_id for node in living()):
                yield f"{address} does not answer: {first_line(error)}"
            continue
        if found != content:
            yield f"{address} does not see what was written"


def read_probe(place: str, folder: str, name: str) -> bytes | None:
    try:
        return Storage(place, folder).read(name)
    except (OSError, CasslError):
        return None


def not_shared(place: str, faults: Sequence[str]) -> CasslError:
    return CasslError(
        "RAY_STORAGE_NOT_SHARED",
        f"The nodes do not share `storage`, {place}: {'; '.join(faults)}.",
        "Mount one file system at that path on all nodes, or name a bucket that all can reach.",
    )


def named(error: BaseException, what: str) -> CasslError:
    """What a failure of Ray means; an error of cassl inside it as it is. what: failed, such as `The training`."""
    causes = list(causes_of(error))
    for cause in causes:
        if isinstance(cause, CasslError):
            return cause
    if any(isinstance(cause, ray.exceptions.OutOfMemoryError) for cause in causes) or "OutOfMemoryError" in str(error):
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


def pack(path: Path) -> Any:
    """A file as an object of Ray, which other nodes fetch once each."""
    return ray.put(path.read_bytes())


def unpack(content: Any, path: Path) -> Path:
    path.write_bytes(ray.get(content))
    return path
