"""Trainings and labelling on a real Ray of this machine, whose processes are killed."""

import json
import os
import signal
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch
from controller import Controller
from safetensors.torch import load, load_file
from tiny import predict_task, solver, train_task, write_dataset

from cassl.v1.task_pb2 import PredictTask, Task, TrainOutput
from cassl.v1.worker_service_pb2 import Lease, TaskAttempt

from cassl_worker.artifacts import ArtifactCache, Artifacts
from cassl_worker.channel import open_channel
from cassl_worker.checkpoint import Weights, save_weights, state_of
from cassl_worker.data import read_dataset
from cassl_worker.detectors import build_detector
from cassl_worker.errors import CasslError
from cassl_worker.frames import ShardSender
from cassl_worker.on_ray.settings import Demand, check_version, read_settings
from cassl_worker.predict import predict
from cassl_worker.records import Checkpoint, Event, Progress, Shard, Started, Trained
from cassl_worker.tasks.context import HandBack, TaskContext
from cassl_worker.tasks.training import follow_training
from cassl_worker.training import Training, train_alone

if find_spec("ray") is None:
    pytest.skip("Ray is not installed", allow_module_level=True)

# Before Ray is imported.
from ray_cluster import RayCluster, ray_cluster  # isort: skip
import ray

from cassl_worker.on_ray.cluster import wait_for_node
from cassl_worker.on_ray.failures import named
from cassl_worker.on_ray.labelling import label_on_ray
from cassl_worker.on_ray.storage import Storage, check_shared
from cassl_worker.on_ray.training import train_on_ray

IMAGES = 24
ITERATIONS = 40
"""So many that a process is killed long before the last."""
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


def training_of(tmp_path: Path, images: Path, iterations: int = ITERATIONS, checkpoint_every: int = 2) -> Training:
    task = Task(train=train_task("manifest", solver(iterations, checkpoint_every)))
    return Training(task.SerializeToString(), tmp_path / "manifest", images, tmp_path / "cache")


class Attempt:
    """A training on Ray that is followed as the worker of a job does, with a controller that keeps what it leaves.

    Attributes:
        seen: done with each event before it is followed.
        said: all of them.
    """

    def __init__(self, folder: Path, seen: Callable[[Event], None]) -> None:
        self.seen, self.said = seen, list[Event]()
        self.pause, self.cancelled = threading.Event(), threading.Event()
        self.scratch, self.shared = folder / "scratch", folder / "shared"
        self.scratch.mkdir()
        self.shared.mkdir()

    def watched(self, events: Generator[Event]) -> Generator[Event]:
        with closing(events):
            for event in events:
                self.said.append(event)
                self.seen(event)
                yield event

    def follow(self, training: Training, demand: Demand) -> tuple[TrainOutput, dict[str, torch.Tensor]]:
        """What the attempt reports, and its weights as the controller has them."""
        storage = Storage(str(self.shared), "task", 1)
        events = self.watched(train_on_ray(training, demand, storage, self.scratch, self.pause))
        with Controller() as controller, open_channel(controller.address) as channel:
            cache = ArtifactCache(self.scratch.with_name("artifacts"))
            context = TaskContext(
                lease=Lease(task_attempt=TaskAttempt(task_id="task", attempt=1)),
                artifacts=Artifacts(channel, controller.address, cache, self.cancelled),
                open_sender=no_sender,
                emit=lambda event: None,
                cancelled=self.cancelled,
                pause=self.pause,
                scratch=self.scratch,
            )
            output = follow_training(events, context)
            return output, load(controller.artifacts.blobs[output.weights.sha256])

    def left(self) -> list[str]:
        """In the storage that all nodes share."""
        return [path.name for path in self.shared.iterdir()]


def no_sender() -> ShardSender:
    raise AssertionError("a training sends no frames")


def test_two_processes_of_which_one_is_killed_train_what_one_does_and_leave_nothing_in_the_storage(
    cluster: RayCluster, tmp_path: Path, images: Path
) -> None:
    training, kills = training_of(tmp_path, images), list[int]()
    alone = tmp_path / "alone"
    alone.mkdir()
    trained = list(train_alone(training, alone, threading.Event()))[-1]
    assert isinstance(trained, Trained)

    def kill_at_the_second_checkpoint(event: Event) -> None:
        if isinstance(event, Checkpoint) and event.iteration >= 4 and kills == []:
            kills.append(event.iteration)
            kill_one(cluster, "ray::RayTrainWorker")

    attempt = Attempt(tmp_path, kill_at_the_second_checkpoint)
    output, weights = attempt.follow(training, demand())
    starts = [event for event in attempt.said if isinstance(event, Started)]
    assert [len(start.images_per_process) for start in starts] == [2, 2]
    assert starts[1].iteration >= 4, "it begins anew"
    assert output.iterations == ITERATIONS
    for name, weight in load_file(trained.weights).items():
        # Where a gradient is next to nothing, AdamW makes its rounding a step: many iterations, many such steps.
        torch.testing.assert_close(weights[name], weight, rtol=1e-3, atol=5e-5)
    assert attempt.left() == []


def test_a_training_that_is_to_pause_hands_back_after_a_checkpoint_and_leaves_nothing_in_the_storage(
    cluster: RayCluster, tmp_path: Path, images: Path
) -> None:
    training = training_of(tmp_path, images, 1_000_000, checkpoint_every=1000)

    def pause_when_under_way(event: Event) -> None:
        if isinstance(event, Progress):
            attempt.pause.set()

    attempt = Attempt(tmp_path, pause_when_under_way)
    with pytest.raises(HandBack):
        attempt.follow(training, demand(workers=1, min_workers=1))
    assert isinstance(attempt.said[-1], Checkpoint)
    assert attempt.left() == []


def test_a_training_that_fails_leaves_nothing_in_the_storage(cluster: RayCluster, tmp_path: Path, images: Path) -> None:
    training, attempt = training_of(tmp_path, Path("/nowhere")), Attempt(tmp_path, lambda event: None)
    with pytest.raises(CasslError) as raised:
        attempt.follow(training, demand(workers=1, min_workers=1, max_failures=0))
    assert raised.value.reason == "IMAGE_INVALID"
    assert attempt.left() == []


def test_what_no_node_has_is_named(cluster: RayCluster) -> None:
    with pytest.raises(CasslError, match=r"127\.0\.0\.2 lacks 2 GPU and the label zone=a") as raised:
        wait_for_node(demand(gpus=2, labels={"zone": "a"}), 0, print)
    assert raised.value.reason == "RAY_RESOURCES_MISSING"
    wait_for_node(demand(labels={"zone": "!a"}), 0, print)


def test_storage_that_each_process_has_for_itself_is_found_out(cluster: RayCluster, tmp_path: Path) -> None:
    check_shared(Storage(str(tmp_path), "task", 1))
    with pytest.raises(CasslError, match=r"127\.0\.0\.2 does not see") as raised:
        check_shared(Storage("mock:///shared", "task", 1))
    assert raised.value.reason == "RAY_STORAGE_NOT_SHARED"


@pytest.mark.parametrize("place", ["nothing://shared", "shared"])
def test_storage_that_cannot_be_opened_is_named(place: str) -> None:
    with pytest.raises(CasslError, match="it cannot be opened") as raised:
        Storage(place, "task", 1)
    assert raised.value.reason == "RAY_STORAGE_NOT_SHARED"


def test_a_node_that_has_died_meanwhile_shares_nothing_and_need_not(
    cluster: RayCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alive: list[dict[str, Any]] = ray.nodes()
    gone = {**alive[0], "NodeID": "0" * len(alive[0]["NodeID"]), "NodeManagerAddress": "127.0.0.3"}
    storage = Storage(str(tmp_path), "task", 1)
    monkeypatch.setattr(ray, "nodes", lambda: [*alive, gone])
    with pytest.raises(CasslError, match=r"127\.0\.0\.3 does not answer"):
        check_shared(storage)
    before = iter([[*alive, gone]])
    monkeypatch.setattr(ray, "nodes", lambda: next(before, alive))
    check_shared(storage)


def test_an_error_of_cassl_in_a_process_comes_out_as_it_is(
    cluster: RayCluster, labelling: tuple[PredictTask, Path, Path, str]
) -> None:
    task, manifest, weights, _ = labelling
    with pytest.raises(CasslError) as raised:
        list(label_on_ray(task, manifest, weights, "/nowhere", [0], demand(workers=1, min_workers=1)))
    assert raised.value.reason == "IMAGE_INVALID"


def test_a_process_that_ran_out_of_memory_is_named() -> None:
    error = ray.exceptions.OutOfMemoryError("Task was killed due to the node running low on memory.")
    assert named(error, "The training").reason == "RAY_OUT_OF_MEMORY"
    lost = ray.exceptions.RayActorError(error_msg="its worker process has died. Worker exit type: NODE_OUT_OF_MEMORY")
    assert named(lost, "The labelling").reason == "RAY_OUT_OF_MEMORY"
    assert named(ray.exceptions.RaySystemError("lost"), "The training").reason == "RAY_JOB_FAILED"


def test_what_earlier_attempts_have_left_in_the_storage_is_removed_with_an_attempt_s_own(tmp_path: Path) -> None:
    of_others = ["other-1", "task-3", "task-3-ray", "task"]
    for name in [*of_others, "task-1", "task-1-ray", "task-2", "task-2-ray"]:
        (tmp_path / name).mkdir()
        (tmp_path / name / "checkpoint").touch()
    Storage(str(tmp_path), "task", 2).remove_all()
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(of_others)


def test_another_ray_than_the_cluster_s_is_named() -> None:
    one = {"cpus": 1, "gpus": 0, "memory_gb": 0, "resources": {}, "labels": {}, "workers": 1}
    text = {"storage": "/s", "pending_seconds": 1, "ray_version": "2.9.0", "train": one, "predict": one}
    with pytest.raises(CasslError, match=r"the cluster runs 2\.9\.0") as raised:
        check_version(read_settings(json.dumps(text)))
    assert raised.value.reason == "RAY_VERSION_MISMATCH"
