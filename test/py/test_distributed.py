"""Several processes train what one does. These are real processes, joined by gloo."""

import multiprocessing
import threading
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from detector_cases import Case, cases
from rectangles import rectangle_dataset
from safetensors.torch import load_file
from tiny import DETECTOR, PREDICT, solver, train_task, write_dataset
from torch import Tensor

from cassl.v1.task_pb2 import DetectorConfig, MeanTeacherTask, PretrainTask, SolverConfig, Task

from cassl_worker import distributed
from cassl_worker.batches import TrainingBatches
from cassl_worker.checkpoint import state_of
from cassl_worker.data import Dataset
from cassl_worker.detectors import backend_of, build_detector
from cassl_worker.errors import CasslError
from cassl_worker.iteration import add_gradients
from cassl_worker.records import Checkpoint, Event, Progress, RolledBack, Started, Trained
from cassl_worker.train_processes import train_in_processes
from cassl_worker.training import Training, process_count_of, train_alone

pytestmark = pytest.mark.usefixtures("one_thread")
OBJECT_COUNTS = (0, 0, 1, 3, 2)
"""Of the images of a batch: the first process learns from two without any object, the second one from the others."""
FAMILIES = [case for case in cases() if backend_of(case.name) == "torch"]
SIDE_PX = 64
"""So small that two-stage families learn from all their candidates; else they would draw different ones."""
PROCESSES = 2


def losses_and_gradients(case: Case, dataset: Dataset) -> dict[str, Tensor]:
    """Of a batch of the whole dataset, by this process and those that it is joined with."""
    config, small = solver(1), DetectorConfig()
    config.images_per_batch = len(dataset.images)
    small.CopyFrom(case.config)
    small.input_width_px = small.input_height_px = SIDE_PX
    batch = TrainingBatches(dataset, input_size=(SIDE_PX, SIDE_PX), solver=config, seed=1, masks=True).batch(0)
    torch.manual_seed(0)
    detector = build_detector(small, 2)
    losses = add_gradients(batch, detector, config)
    distributed.add_up_gradients(list(detector.parameters()))
    gradients = {name: weight.grad for name, weight in detector.named_parameters() if weight.grad is not None}
    return {**{name: distributed.summed(loss) for name, loss in losses.items()}, **gradients}


def write_gradients(rank: int, images: Path, out: Path) -> None:
    torch.set_num_threads(1)
    dataset = rectangle_dataset(images / str(rank), OBJECT_COUNTS)
    with distributed.joined(rank, PROCESSES, out / "rendezvous"):
        torch.save({case.name: losses_and_gradients(case, dataset) for case in FAMILIES}, out / f"{rank}.pt")


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> list[Mapping[str, Mapping[str, Tensor]]]:
    """By process and family."""
    out, images = tmp_path_factory.mktemp("gradients"), tmp_path_factory.mktemp("images")
    context = multiprocessing.get_context("spawn")
    processes = []
    for rank in range(PROCESSES):
        (images / str(rank)).mkdir()
        processes.append(context.Process(target=write_gradients, args=(rank, images, out), daemon=True))
        processes[-1].start()
    for process in processes:
        process.join()
        assert process.exitcode == 0
    return [torch.load(out / f"{rank}.pt", weights_only=True) for rank in range(PROCESSES)]


@pytest.mark.parametrize("case", FAMILIES, ids=lambda case: case.name)
def test_two_processes_have_the_losses_and_gradients_of_one_with_the_whole_batch(
    case: Case, written: list[Mapping[str, Mapping[str, Tensor]]], tmp_path: Path
) -> None:
    alone = losses_and_gradients(case, rectangle_dataset(tmp_path, OBJECT_COUNTS))
    for found in (of_process[case.name] for of_process in written):
        assert found.keys() == alone.keys()
        for name, expected in alone.items():
            torch.testing.assert_close(
                found[name], expected, rtol=1e-3, atol=1e-5 * max(1.0, float(expected.abs().max()))
            )
            assert torch.equal(found[name], written[0][case.name][name])


def training_of(folder: Path, task: Task, **files: Path) -> Training:
    folder.mkdir(exist_ok=True)
    manifest = folder / "manifest.jsonl"
    manifest.write_bytes(write_dataset(folder, 6))
    return Training(task.SerializeToString(), manifest, folder, folder / "cache", **files)


def task_of(iterations: int, checkpoint_every: int = 1000, **changes: object) -> Task:
    task = train_task("", solver(iterations, checkpoint_every))
    task.solver.images_per_batch = 3
    task.solver.MergeFrom(SolverConfig(**changes))  # type: ignore[arg-type]
    return Task(train=task)


def together(training: Training, scratch: Path) -> list[Event]:
    scratch.mkdir()
    return list(train_in_processes(training, PROCESSES, scratch, threading.Event()))


def weights_of(events: list[Event]) -> dict[str, Tensor]:
    assert isinstance(events[-1], Trained)
    return load_file(events[-1].weights)


@pytest.fixture(scope="module")
def training(tmp_path_factory: pytest.TempPathFactory) -> Training:
    return training_of(tmp_path_factory.mktemp("data"), task_of(9, checkpoint_every=3))


@pytest.fixture(scope="module")
def both(training: Training, tmp_path_factory: pytest.TempPathFactory) -> list[Event]:
    """The events of two processes that nothing happened to."""
    return together(training, tmp_path_factory.mktemp("scratch") / "both")


def test_training_together_equals_training_alone(training: Training, both: list[Event], tmp_path: Path) -> None:
    alone = weights_of(list(train_alone(training, tmp_path, threading.Event())))
    torch.manual_seed(1)
    start = state_of(build_detector(DETECTOR, 2))
    moved = sum(float((alone[name] - start[name]).square().sum()) for name in alone)
    apart = sum(float((weight - alone[name]).square().sum()) for name, weight in weights_of(both).items())
    assert moved > 0 and apart < 1e-4 * moved, (apart, moved)


def test_only_the_first_process_reports(both: list[Event]) -> None:
    kinds = [type(event) for event in both if not isinstance(event, Progress)]
    assert kinds == [Started, Checkpoint, Checkpoint, Trained]
    assert isinstance(both[0], Started) and both[0].images_per_process == (1, 2) and both[0].images_per_batch == 3
    iterations = [event.iteration for event in both if isinstance(event, Progress)]
    assert iterations == sorted(set(iterations)) and iterations[-1] == 9


def test_a_killed_process_fails_the_attempt_and_the_next_one_goes_on_bit_for_bit(
    training: Training, both: list[Event], tmp_path: Path
) -> None:
    (tmp_path / "killed").mkdir()
    checkpoint = None
    with (
        closing(train_in_processes(training, PROCESSES, tmp_path / "killed", threading.Event())) as events,
        pytest.raises(CasslError, match="Process 1 of the training was killed by SIGKILL") as caught,
    ):
        for event in events:
            if isinstance(event, Checkpoint):
                checkpoint = event.path
                (victim,) = [child for child in multiprocessing.active_children() if child.name.endswith("process 1")]
                victim.kill()
    assert caught.value.reason == "TRAINING_PROCESS_LOST" and multiprocessing.active_children() == []
    resumed = together(replace(training, resume_from=checkpoint), tmp_path / "resumed")
    assert isinstance(resumed[0], Started) and resumed[0].iteration > 0
    assert weights_of(resumed).keys() == weights_of(both).keys()
    assert all(torch.equal(weight, weights_of(both)[name]) for name, weight in weights_of(resumed).items())


def test_divergence_is_met_together_once_and_then_fails(tmp_path: Path) -> None:
    training = training_of(tmp_path / "data", task_of(20, learning_rate=1e30, gradient_clip_norm=1e30))
    seen: list[Event] = []
    (tmp_path / "scratch").mkdir()
    with pytest.raises(CasslError, match="gradient's norm") as caught:
        seen.extend(train_in_processes(training, PROCESSES, tmp_path / "scratch", threading.Event()))
    assert caught.value.reason == "TRAINING_DIVERGED"
    assert [type(event) for event in seen if not isinstance(event, Progress)] == [Started, RolledBack]


def test_a_training_that_is_to_pause_ends_in_all_processes_with_a_checkpoint(tmp_path: Path) -> None:
    training, pause = training_of(tmp_path / "data", task_of(100_000)), threading.Event()
    (tmp_path / "scratch").mkdir()
    seen = []
    for event in train_in_processes(training, PROCESSES, tmp_path / "scratch", pause):
        seen.append(event)
        pause.set()
    assert isinstance(seen[-1], Checkpoint) and 0 < seen[-1].iteration < 100_000


def test_an_image_that_one_process_cannot_read_is_what_the_training_fails_with(tmp_path: Path) -> None:
    training = training_of(tmp_path / "data", task_of(20))
    (tmp_path / "data" / "3.png").write_bytes(b"no image")
    with pytest.raises(CasslError) as caught:
        together(training, tmp_path / "scratch")
    assert caught.value.reason == "IMAGE_INVALID"


class TestCount:
    def test_is_what_the_worker_has_but_no_more_than_images_in_a_part(self) -> None:
        assert process_count_of(task_of(1), 2) == 2
        assert process_count_of(task_of(1), 8) == 3
        assert process_count_of(task_of(1, gradient_accumulation=3), 8) == 1
        assert process_count_of(task_of(1), None) == max(1, min(3, torch.cuda.device_count()))

    def test_pretraining_is_not_divided_and_a_mean_teacher_only_where_batches_are_whole(self) -> None:
        train = task_of(1).train
        assert process_count_of(Task(pretrain=PretrainTask(train=train)), 2) == 1
        teacher = MeanTeacherTask(train=train, labeled_images_per_batch=1, predict=PREDICT)
        assert process_count_of(Task(mean_teacher=teacher), 2) == 1
        teacher.train.solver.images_per_batch, teacher.labeled_images_per_batch = 6, 3
        assert process_count_of(Task(mean_teacher=teacher), 4) == 3
        teacher.train.solver.gradient_accumulation = 2
        assert process_count_of(Task(mean_teacher=teacher), 4) == 1
