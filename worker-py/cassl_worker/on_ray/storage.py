"""What the nodes share: the files of an attempt, and whether all nodes see them."""

import re
import uuid
from collections.abc import Iterator, Sequence
from contextlib import suppress

import pyarrow as pa
import ray
from pyarrow import fs
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from cassl_worker.errors import CasslError
from cassl_worker.on_ray.cluster import living
from cassl_worker.on_ray.failures import first_line

PROBE_SECONDS = 60.0
"""For a node to read a file of a few bytes; it may have to start a process for it."""


class Storage:
    """Files that all nodes share, by name.

    Args:
        place: folder or URI.
        task_id: whose attempt they are of.
        attempt: which.

    Raises:
        CasslError: RAY_STORAGE_NOT_SHARED where there is no such place.
    """

    def __init__(self, place: str, task_id: str, attempt: int) -> None:
        self.place, self.task_id, self.attempt = place, task_id, attempt
        try:
            self.files, path = fs.FileSystem.from_uri(place)
        except (pa.ArrowException, OSError) as error:
            raise not_shared(place, [f"it cannot be opened: {first_line(error)}"]) from error
        self.root = path.rstrip("/")
        self.folder = f"{self.root}/{task_id}-{attempt}"

    @property
    def name_for_ray(self) -> str:
        """Of the folder that Ray Train makes for itself beside the attempt's."""
        return f"{self.task_id}-{self.attempt}-ray"

    def make(self) -> None:
        """The folder of the files, which are written after that."""
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
        """Of this attempt, and of earlier ones, whose drivers may have been killed. What still runs of those can write
        no more."""
        infos = self.files.get_file_info(fs.FileSelector(self.root, allow_not_found=True))
        for info in infos:
            found = re.fullmatch(rf"{re.escape(self.task_id)}-(\d+)(-ray)?", info.base_name)
            if found is not None and int(found[1]) <= self.attempt:
                with suppress(OSError):
                    self.files.delete_dir(info.path)


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
        storage.remove_all()
    if faults:
        raise not_shared(storage.place, faults)


def probe_faults(storage: Storage, name: str, content: bytes) -> Iterator[str]:
    """Of nodes that are alive: what has died meanwhile shares nothing, and need not."""
    readings = {}
    for node in living():
        strategy = NodeAffinitySchedulingStrategy(node_id=node["NodeID"], soft=False)
        read = ray.remote(read_probe).options(num_cpus=0, scheduling_strategy=strategy, max_retries=0)
        readings[node["NodeManagerAddress"], node["NodeID"]] = read.remote(
            storage.place, storage.task_id, storage.attempt, name
        )
    for (address, node_id), reading in readings.items():
        try:
            found = ray.get(reading, timeout=PROBE_SECONDS)
        except ray.exceptions.RayError as error:
            if any(node["NodeID"] == node_id for node in living()):
                yield f"{address} does not answer: {first_line(error)}"
            continue
        if found != content:
            yield f"{address} does not see what was written"


def read_probe(place: str, task_id: str, attempt: int, name: str) -> bytes | None:
    try:
        return Storage(place, task_id, attempt).read(name)
    except (OSError, CasslError):
        return None


def not_shared(place: str, faults: Sequence[str]) -> CasslError:
    return CasslError(
        "RAY_STORAGE_NOT_SHARED",
        f"The nodes do not share `storage`, {place}: {'; '.join(faults)}.",
        "Mount one file system at that path on all nodes, or name a bucket that all can reach.",
    )
