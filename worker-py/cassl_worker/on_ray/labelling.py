"""Labelling by Ray Data: shards of the image manifest go through a pool of detectors, wherever there is room."""

import json
import tempfile
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import ray.data

from cassl.v1.task_pb2 import PredictTask

from cassl_worker.errors import CasslError
from cassl_worker.on_ray.cluster import pack, unpack
from cassl_worker.on_ray.failures import named
from cassl_worker.on_ray.settings import GB, Demand
from cassl_worker.records import Shard

SHARDS_PER_BLOCK = 4
"""What Ray Data does again when an actor dies, and hands over at once."""
NO_MASKS = -1
MOST_RESTARTS = 20
"""Of one actor. One that is killed for lack of memory again and again must end some time."""

NOTHING = Shard(0, 0, 0, b"")
Columns = dict[str, Any]


class Labeller:
    """An actor with a detector. It knows nothing of the controller."""

    def __init__(self, task: bytes, manifest: Any, weights: Any, image_root: str) -> None:
        from cassl_worker.data import kept_dataset

        self.task = PredictTask.FromString(task)
        self.folder = tempfile.TemporaryDirectory(prefix="cassl-labeller-", ignore_cleanup_errors=True)
        folder = Path(self.folder.name)
        self.weights = unpack(weights, folder / "weights")
        self.dataset = kept_dataset(unpack(manifest, folder / "manifest"), Path(image_root), folder / "images")

    def __call__(self, batch: Columns) -> Columns:
        """An error of cassl comes out as a row: of one that is raised, Ray Data hands over only the text."""
        try:
            shards, failure = self.label([int(shard) for shard in batch["shard"]]), ""
        except CasslError as error:
            shards, failure = [NOTHING], json.dumps([error.reason, error.message, error.remedy])
        return {
            "failure": [failure] * len(shards),
            "shard": np.array([shard.shard for shard in shards]),
            "image_count": np.array([shard.image_count for shard in shards]),
            "box_count": np.array([shard.box_count for shard in shards]),
            "mask_bytes": np.array([NO_MASKS if shard.mask_bytes is None else shard.mask_bytes for shard in shards]),
            "payload": [shard.payload for shard in shards],
        }

    def label(self, due: Sequence[int]) -> list[Shard]:
        from cassl_worker.device import pick_device
        from cassl_worker.predict import predict

        return list(predict(self.task, self.dataset, weights=self.weights, device=pick_device(), shards=due))


def label_on_ray(
    task: PredictTask, manifest: Path, weights: Path, image_root: str, shards: Sequence[int], demand: Demand
) -> Generator[Shard]:
    """These shards, in whatever order they are done. Each comes once: what an actor that died had done is done again
    before it is handed over."""
    arguments = {
        "task": task.SerializeToString(),
        "manifest": pack(manifest),
        "weights": pack(weights),
        "image_root": image_root,
    }
    ray.data.DataContext.get_current().enable_progress_bars = False
    most = min(demand.workers, len(shards))
    labelled = ray.data.from_items(
        [{"shard": shard} for shard in shards], override_num_blocks=-(-len(shards) // SHARDS_PER_BLOCK)
    ).map_batches(
        Labeller,
        fn_constructor_kwargs=arguments,
        batch_size=None,
        compute=ray.data.ActorPoolStrategy(min_size=min(demand.min_workers, most), max_size=most),
        num_cpus=demand.cpus,
        num_gpus=demand.gpus,
        max_restarts=MOST_RESTARTS,
        max_task_retries=MOST_RESTARTS,
        **placement(demand),
    )
    try:
        for row in labelled.iter_rows():
            yield to_shard(row)
    except ray.exceptions.RayError as error:
        raise named(error, "The labelling") from error


def placement(demand: Demand) -> dict[str, Any]:
    """As options of Ray's tasks and actors, beside CPUs and GPUs."""
    options: dict[str, Any] = {"memory": int(demand.memory_gb * GB)} if demand.memory_gb > 0 else {}
    if demand.resources:
        options["resources"] = dict(demand.resources)
    if demand.labels:
        options["label_selector"] = dict(demand.labels)
    return options


def to_shard(row: Columns) -> Shard:
    """Raises the error that the row has in place of a shard."""
    if row["failure"]:
        raise CasslError(*json.loads(row["failure"]))
    mask_bytes = int(row["mask_bytes"])
    return Shard(
        int(row["shard"]),
        int(row["image_count"]),
        int(row["box_count"]),
        bytes(row["payload"]),
        None if mask_bytes == NO_MASKS else mask_bytes,
    )
