"""Trainings and labelling on a real Ray of this machine, whose processes are killed."""

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from tiny import predict_task, solver, train_task, write_dataset

from cassl.v1.task_pb2 import PredictTask, Task

from cassl_worker.checkpoint import Weights, save_weights, state_of
from cassl_worker.data import read_dataset
from cassl_worker.detectors import build_detector
from cassl_worker.errors import CasslError
from cassl_worker.on_ray.settings import Demand, check_version, read_settings
from cassl_worker.predict import predict
from cassl_worker.records import Checkpoint, Event, Progress, Shard, Started, Trained
from cassl_worker.training import Training, train_alone

if find_spec("ray") is None:
    pytest.skip("Ray is not installed", allow_module_level=True)

# Before Ray is imported.
from ray_cluster import RayCluster, ray_cluster  # isort: skip
import ray

from cassl_worker.on_ray import cluster as on_cluster
from cassl_worker.on_ray.labelling import label_on_ray
from cassl_worker.on_ray.training import train_on_ray

IMAGES = 24
ITERATIONS = 8
pytestmark = pytest.mark.timeout(900)


def demand(**changes: object) -> Demand:
    values = {"cpus": 1, "gpus": 0, "memory_gb": 0, "resources": {}, "labels": {}, "workers": 2}
    return Demand(**{**values, "min_workers": values["workers"], "max_failures": 3, **changes})  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def cluster() -> Iterator[RayCluster]:
    with ray_cluster(cpus=3) as started:
        join(started)
        yield started
        ray.shutdown()


def join(cluster: RayCluster) -> None:
    """The dashboard answers before the node is there."""
    until = time.monotonic() + 300
    while True:
        try:
            ray.init(address=cluster.gcs, log_to_driver=False)
            return
        except ConnectionError:
            if time.monotonic() > until:
                raise
            time.sleep(2)


@pytest.fixture
def images(tmp_path: Path) -> Path:
    folder = tmp_path / "images"
    folder.mkdir()
    (tmp_path / "manifest").write_bytes(write_dataset(folder, IMAGES))
    return folder


def kill_one(cluster: RayCluster, title: str) -> None:
    pids = cluster.processes(title)
    assert pids, f"there is no process {title}"
    os.kill(pids[0], signal.SIGKILL)


@pytest.fixture
def labelling(tmp_path: Path, images: Path) -> tuple[PredictTask, Path, Path, str]:
    task = predict_task("manifest", "weights")
    torch.manual_seed(0)
    detector = build_detector(task.detector, task.class_count)
    weights = tmp_path / "weights"
    save_weights(weights, Weights(task.detector.family, task.class_count, state_of(detector)))
    return task, tmp_path / "manifest", weights, str(images)


def test_every_shard_comes_once_although_an_actor_is_killed(
    cluster: RayCluster, labelling: tuple[PredictTask, Path, Path, str]
) -> None:
    task, manifest, weights, root = labelling
    due = list(range(IMAGES // task.predict.shard_size))
    found: list[Shard] = []
    with closing(label_on_ray(task, manifest, weights, root, due, demand())) as shards:
        for shard in shards:
            found.append(shard)
            if len(found) == 1:
                kill_one(cluster, "ray::MapWorker")
    here = predict(task, read_dataset(manifest, Path(root)), weights=weights, device=torch.device("cpu"), shards=due)
    assert sorted(found, key=lambda shard: shard.shard) == list(here)


def training_of(tmp_path: Path, images: Path) -> Training:
    task = Task(train=train_task("manifest", solver(ITERATIONS, checkpoint_every=2)))
    return Training(task.SerializeToString(), tmp_path / "manifest", images, tmp_path / "cache")


def weights_after(events: list[Event]) -> dict[str, torch.Tensor]:
    trained = events[-1]
    assert isinstance(trained, Trained)
    return load_file(trained.weights)


def test_two_processes_of_which_one_is_killed_train_what_one_does(
    cluster: RayCluster, tmp_path: Path, images: Path
) -> None:
    training, pause = training_of(tmp_path, images), threading.Event()
    alone, scratch = tmp_path / "alone", tmp_path / "scratch"
    alone.mkdir()
    scratch.mkdir()
    expected = weights_after(list(train_alone(training, alone, pause)))
    storage = on_cluster.Storage(str(tmp_path / "shared"), "task-1")
    events: list[Event] = []
    for event in train_on_ray(training, demand(), storage, scratch, pause):
        events.append(event)
        if isinstance(event, Checkpoint) and event.iteration == 4:
            kill_one(cluster, "ray::RayTrainWorker")
    starts = [event for event in events if isinstance(event, Started)]
    assert [len(start.images_per_process) for start in starts] in ([2, 2], [2])
    if len(starts) == 2:
        assert starts[1].iteration >= 4, "it begins anew"
    found = weights_after(events)
    for name, weight in expected.items():
        torch.testing.assert_close(found[name], weight, rtol=1e-3, atol=1e-5)


def test_a_training_that_is_to_pause_ends_with_a_checkpoint(cluster: RayCluster, tmp_path: Path, images: Path) -> None:
    task = Task(train=train_task("manifest", solver(1_000_000)))
    training = Training(task.SerializeToString(), tmp_path / "manifest", images, tmp_path / "cache")
    storage, pause, events = on_cluster.Storage(str(tmp_path / "shared"), "task-1"), threading.Event(), list[Event]()
    for event in train_on_ray(training, demand(workers=1, min_workers=1), storage, tmp_path, pause):
        events.append(event)
        if isinstance(event, Progress):
            pause.set()
    assert isinstance(events[-1], Checkpoint)


def test_what_no_node_has_is_named(cluster: RayCluster) -> None:
    with pytest.raises(CasslError, match=r"127\.0\.0\.2 lacks 2 GPU and the label zone=a") as raised:
        on_cluster.wait_for_node(demand(gpus=2, labels={"zone": "a"}), 0)
    assert raised.value.reason == "RAY_RESOURCES_MISSING"
    on_cluster.wait_for_node(demand(labels={"zone": "!a"}), 0)


def test_storage_that_each_process_has_for_itself_is_found_out(cluster: RayCluster, tmp_path: Path) -> None:
    on_cluster.check_shared(on_cluster.Storage(str(tmp_path), "task-1"))
    with pytest.raises(CasslError, match=r"127\.0\.0\.2 does not see") as raised:
        on_cluster.check_shared(on_cluster.Storage("mock:///shared", "task-1"))
    assert raised.value.reason == "RAY_STORAGE_NOT_SHARED"


def test_an_error_of_cassl_in_a_process_comes_out_as_it_is(
    cluster: RayCluster, labelling: tuple[PredictTask, Path, Path, str]
) -> None:
    task, manifest, weights, _ = labelling
    with pytest.raises(CasslError) as raised:
        list(label_on_ray(task, manifest, weights, "/nowhere", [0], demand(workers=1, min_workers=1)))
    assert raised.value.reason == "IMAGE_INVALID"


def test_a_process_that_ran_out_of_memory_is_named() -> None:
    error = ray.exceptions.OutOfMemoryError("Task was killed due to the node running low on memory.")
    assert on_cluster.named(error, "The training").reason == "RAY_OUT_OF_MEMORY"
    assert on_cluster.named(ray.exceptions.RaySystemError("lost"), "The training").reason == "RAY_JOB_FAILED"


def test_another_ray_than_the_cluster_s_is_named() -> None:
    one = {"cpus": 1, "gpus": 0, "memory_gb": 0, "resources": {}, "labels": {}, "workers": 1}
    text = {"storage": "/s", "pending_seconds": 1, "ray_version": "2.9.0", "train": one, "predict": one}
    with pytest.raises(CasslError, match=r"the cluster runs 2\.9\.0") as raised:
        check_version(read_settings(json.dumps(text)))
    assert raised.value.reason == "RAY_VERSION_MISMATCH"
