"""Tasks from lease to output: a real small detector, real artifacts and frames."""

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import onnx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from controller import Controller
from safetensors import safe_open
from tiny import PREDICT, export_task, predict_task, solver, train_task, write_dataset

from cassl.v1.task_pb2 import Labels, Task, TrainOutput
from cassl.v1.worker_service_pb2 import CheckpointSaved, Lease, PredictProgress, TaskAttempt, TaskEvent, TrainProgress

from cassl_worker.artifacts import ArtifactCache, Artifacts
from cassl_worker.channel import open_channel
from cassl_worker.checkpoint import read_weights
from cassl_worker.errors import CasslError
from cassl_worker.frames import Route, ShardSender
from cassl_worker.tasks import run_task
from cassl_worker.tasks.context import HandBack, TaskContext
from cassl_worker.tasks.labelling import images_of_shard

IMAGE_COUNT = 5
ATTEMPT = TaskAttempt(task_id="task", attempt=1)
MakeContext = Callable[..., TaskContext]


@pytest.fixture(scope="module")
def controller() -> Iterator[Controller]:
    with Controller() as controller:
        yield controller


@pytest.fixture(scope="module")
def image_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("images")


@pytest.fixture(scope="module")
def dataset(controller: Controller, image_root: Path) -> str:
    return controller.artifacts.put(write_dataset(image_root, IMAGE_COUNT))


@pytest.fixture(scope="module")
def make_context(
    controller: Controller, image_root: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[MakeContext]:
    route = Route(controller.frames.endpoint, b"token")
    cache = ArtifactCache(tmp_path_factory.mktemp("cache"))

    def make(task: Task, **lease: object) -> TaskContext:
        cancelled = threading.Event()
        return TaskContext(
            lease=Lease(task_attempt=ATTEMPT, task=task, image_root=str(image_root), **lease),  # type: ignore[arg-type]
            artifacts=Artifacts(channel, controller.address, cache, cancelled),
            open_sender=partial(ShardSender, lambda: route, ATTEMPT, 1 << 20, cancelled),
            emit=lambda event: None,
            cancelled=cancelled,
            pause=threading.Event(),
            scratch=tmp_path_factory.mktemp("scratch"),
        )

    with open_channel(controller.address) as channel:
        yield make


def events_of(context: TaskContext) -> tuple[TaskContext, list[TaskEvent]]:
    events: list[TaskEvent] = []
    return replace(context, emit=events.append), events


@pytest.fixture(scope="module")
def trained(make_context: MakeContext, dataset: str) -> tuple[TrainOutput, list[TaskEvent]]:
    context, events = events_of(make_context(Task(train=train_task(dataset, solver(4, checkpoint_every=2)))))
    output = run_task(context).train
    assert [path.name for path in context.scratch.glob("checkpoint*")] == []
    return output, events


@pytest.fixture(scope="module")
def weights(trained: tuple[TrainOutput, list[TaskEvent]]) -> str:
    return trained[0].weights.sha256


def checkpoints(events: list[TaskEvent]) -> list[CheckpointSaved]:
    return [event.checkpoint_saved for event in events if event.HasField("checkpoint_saved")]


def train_progress(events: list[TaskEvent]) -> list[TrainProgress]:
    return [event.train_progress for event in events if event.HasField("train_progress")]


def predict_progress(events: list[TaskEvent]) -> list[PredictProgress]:
    return [event.predict_progress for event in events if event.HasField("predict_progress")]


def test_training_leaves_weights_and_says_how_it_goes(
    trained: tuple[TrainOutput, list[TaskEvent]], controller: Controller
) -> None:
    output, events = trained
    assert output.iterations == 4
    assert output.weights.size_bytes == len(controller.artifacts.blobs[output.weights.sha256])
    assert not output.HasField("transplant_ledger")
    assert train_progress(events)[-1].iteration == 4
    assert "total" in train_progress(events)[-1].losses
    assert "5 images" in events[0].log.text


def test_training_in_several_processes_says_so_and_keeps_its_checkpoints(
    make_context: MakeContext, dataset: str, controller: Controller
) -> None:
    context, events = events_of(make_context(Task(train=train_task(dataset, solver(4, checkpoint_every=2)))))
    output = run_task(replace(context, processes=8)).train
    assert "2 images a batch" in events[0].log.text
    assert "2 processes train together, each on 1 of these images" in events[0].log.text
    assert [saved.iteration for saved in checkpoints(events)] == [2] and output.iterations == 4
    assert output.weights.sha256 in controller.artifacts.blobs
    assert list(context.scratch.rglob("checkpoint*")) == []


def test_training_goes_on_from_a_stored_checkpoint_to_the_same_weights(
    trained: tuple[TrainOutput, list[TaskEvent]], make_context: MakeContext, dataset: str, controller: Controller
) -> None:
    output, events = trained
    (saved,) = checkpoints(events)
    assert saved.iteration == 2
    assert saved.checkpoint.sha256 in controller.artifacts.blobs
    task = Task(train=train_task(dataset, solver(4, checkpoint_every=2)))
    context, resumed_events = events_of(make_context(task, resume_from=saved.checkpoint))
    assert run_task(context).train == output
    assert checkpoints(resumed_events) == []


def test_training_from_other_weights_leaves_a_transplant_ledger(
    make_context: MakeContext, dataset: str, weights: str, controller: Controller
) -> None:
    context = make_context(Task(train=train_task(dataset, solver(1), init_from=weights)))
    output = run_task(context).train
    ledger = json.loads(controller.artifacts.blobs[output.transplant_ledger.sha256])
    with safe_open(context.artifacts.fetch(output.weights.sha256), framework="pt") as file:
        assert all(name in json.dumps(ledger) for name in file.keys())  # noqa: SIM118 (no mapping)


def test_training_on_labels_learns_their_classes_in_place_of_the_annotations(
    make_context: MakeContext, controller: Controller, dataset: str
) -> None:
    columns = {name: pa.array([8.0 + side], pa.float32()) for side, name in enumerate(("x0", "y0"))}
    columns |= {name: pa.array([40.0], pa.float32()) for name in ("x1", "y1", "score")}
    columns |= {name: pa.array([0], pa.int32()) for name in ("image", "class")}
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(columns), sink)
    task = train_task(dataset, solver(1))
    task.labels.CopyFrom(Labels(sha256=controller.artifacts.put(sink.getvalue().to_pybytes()), class_count=1))
    output = run_task(make_context(Task(train=task))).train
    assert read_weights(make_context(Task()).artifacts.fetch(output.weights.sha256)).class_count == 1


def test_prediction_sends_every_image_once(
    make_context: MakeContext, dataset: str, weights: str, controller: Controller
) -> None:
    controller.frames.arrived.clear()
    context, events = events_of(make_context(Task(predict=predict_task(dataset, weights)), shards=[0, 1, 2]))
    output = run_task(context).predict
    arrived = controller.frames.arrived
    assert [(header.shard, header.image_count) for header, _ in arrived] == [(0, 2), (1, 2), (2, 1)]
    assert output.image_count == IMAGE_COUNT
    assert output.box_count == sum(header.box_count for header, _ in arrived) == IMAGE_COUNT * PREDICT.max_detections
    indices = [np.frombuffer(payload, "<i4", header.image_count).tolist() for header, payload in arrived]
    assert indices == [[0, 1], [2, 3], [4]]
    done = [(progress.images_done, progress.total_images) for progress in predict_progress(events)]
    assert done == [(2, IMAGE_COUNT), (4, IMAGE_COUNT), (5, IMAGE_COUNT)]


def test_prediction_does_the_shards_of_its_lease_in_their_order(
    make_context: MakeContext, dataset: str, weights: str, controller: Controller
) -> None:
    controller.frames.arrived.clear()
    task = Task(predict=predict_task(dataset, weights))
    context, events = events_of(make_context(task, shards=[2, 0]))
    assert run_task(context).predict.image_count == 3
    assert [header.shard for header, _ in controller.frames.arrived] == [2, 0]
    assert [(progress.images_done, progress.total_images) for progress in predict_progress(events)] == [(1, 3), (3, 3)]


def test_a_shard_has_the_same_bytes_in_whichever_lease_it_is(
    make_context: MakeContext, dataset: str, weights: str, controller: Controller
) -> None:
    task = Task(predict=predict_task(dataset, weights))
    hashes = []
    for shards in ([0, 1, 2], [2, 1]):
        controller.frames.arrived.clear()
        run_task(make_context(task, shards=shards))
        hashes.append({header.shard: header.sha256 for header, _ in controller.frames.arrived})
    assert hashes[1] == {shard: hashes[0][shard] for shard in (1, 2)}


def test_prediction_that_pauses_hands_back_what_it_has_not_begun(
    make_context: MakeContext, dataset: str, weights: str, controller: Controller
) -> None:
    controller.frames.arrived.clear()
    context = make_context(Task(predict=predict_task(dataset, weights)), shards=[0, 1, 2])
    context.pause.set()
    with pytest.raises(HandBack):
        run_task(context)
    assert [header.shard for header, _ in controller.frames.arrived] == [0]


def test_training_that_pauses_leaves_a_checkpoint_of_where_it_is(
    trained: tuple[TrainOutput, list[TaskEvent]], make_context: MakeContext, dataset: str
) -> None:
    task = Task(train=train_task(dataset, solver(4, checkpoint_every=2)))
    context, events = events_of(make_context(task))
    context.pause.set()
    with pytest.raises(HandBack):
        run_task(context)
    (saved,) = checkpoints(events)
    assert saved.iteration == 1
    assert run_task(make_context(task, resume_from=saved.checkpoint)).train == trained[0]


def test_export_leaves_an_onnx_file_that_says_how_to_run_it(
    make_context: MakeContext, dataset: str, weights: str, controller: Controller
) -> None:
    output = run_task(make_context(Task(export=export_task(dataset, weights)))).export
    model = onnx.load_from_string(controller.artifacts.blobs[output.onnx.sha256])
    (metadata,) = [json.loads(entry.value) for entry in model.metadata_props if entry.key == "cassl"]
    assert [category["name"] for category in metadata["categories"]] == ["red", "blue"]


def test_a_cancelled_task_ends_at_its_next_event_and_leaves_no_weights(
    make_context: MakeContext, dataset: str, controller: Controller
) -> None:
    context, events = events_of(make_context(Task(train=train_task(dataset, solver(10_000)))))

    def emit(event: TaskEvent) -> None:
        events.append(event)
        if event.HasField("train_progress"):
            context.cancelled.set()

    before = set(controller.artifacts.blobs)
    with pytest.raises(CasslError) as caught:
        run_task(replace(context, emit=emit))
    assert caught.value.reason == "CANCELLED"
    assert len(train_progress(events)) == 1
    assert set(controller.artifacts.blobs) == before


def test_a_task_of_an_unknown_kind_is_refused(make_context: MakeContext) -> None:
    with pytest.raises(CasslError, match="no kind") as caught:
        run_task(make_context(Task()))
    assert caught.value.reason == "VERSION_MISMATCH"


def test_a_task_whose_artifacts_are_gone_says_so(make_context: MakeContext) -> None:
    with pytest.raises(CasslError) as caught:
        run_task(make_context(Task(export=export_task("0" * 64, "0" * 64))))
    assert caught.value.reason == "ARTIFACT_NOT_FOUND"


def test_the_last_shard_may_be_smaller() -> None:
    assert [images_of_shard(shard, 2, IMAGE_COUNT) for shard in range(3)] == [2, 2, 1]
