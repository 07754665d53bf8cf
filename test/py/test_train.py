"""Training: its events, that it learns, that it repeats and goes on exactly."""

import gc
import json
import math
import random
import threading
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from google.protobuf.json_format import ParseDict
from rectangles import CATEGORIES, rectangle_dataset
from safetensors.torch import load_file, save_file
from tiny import CARRIED, DETECTOR, lr_factors, solver
from torchvision.ops import box_iou
from training import train

from cassl.v1.task_pb2 import AugmentationConfig, DetectorConfig, InitFrom, PredictConfig, SolverConfig, TrainTask

from cassl_worker.batches import TrainingBatches
from cassl_worker.checkpoint import Weights, load_detector, read_weights, save_weights, state_of
from cassl_worker.data import Category, Dataset, boxes_xyxy
from cassl_worker.detections import Detections
from cassl_worker.detectors import build_detector
from cassl_worker.detectors.interface import Detector
from cassl_worker.errors import CasslError
from cassl_worker.images import decode, letterbox
from cassl_worker.iteration import add_gradients
from cassl_worker.predict import detect
from cassl_worker.records import Checkpoint, Event, Progress, RolledBack, Trained
from cassl_worker.solver import learning_rate_at
from cassl_worker.train import LAST_CHECKPOINT

CPU = torch.device("cpu")
pytestmark = pytest.mark.usefixtures("one_thread")


def run(
    task: TrainTask, dataset: Dataset, scratch: Path, init_from: Path | None = None, resume_from: Path | None = None
) -> list[Event]:
    scratch.mkdir(exist_ok=True)
    events = train(task, dataset, device=CPU, scratch=scratch, init_from=init_from, resume_from=resume_from)
    return list(events)


def trained(events: list[Event]) -> Trained:
    assert isinstance(events[-1], Trained)
    return events[-1]


def same_tensors(one: Path, other: Path) -> bool:
    ours, theirs = load_file(one), load_file(other)
    return ours.keys() == theirs.keys() and all(torch.equal(tensor, theirs[name]) for name, tensor in ours.items())


def tiny_task(iterations: int, checkpoint_every: int = 1000, seed: int = 1, **changes: object) -> TrainTask:
    task = TrainTask(detector=DETECTOR, solver=solver(iterations, checkpoint_every), seed=seed)
    task.solver.MergeFrom(SolverConfig(**changes))  # type: ignore[arg-type]
    return task


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("scratch")


@pytest.fixture(scope="module")
def events(rectangles: Dataset, scratch: Path) -> list[Event]:
    return run(tiny_task(25, checkpoint_every=10), rectangles, scratch)


class TestEvents:
    def test_checkpoints_come_as_often_as_asked_but_not_at_the_end(self, events: list[Event]) -> None:
        assert [event.iteration for event in events if isinstance(event, Checkpoint)] == [10, 20]
        assert [type(event) for event in events].count(Trained) == 1 and trained(events).iterations == 25

    def test_progress_is_reported_up_to_the_last_iteration(self, events: list[Event]) -> None:
        reports = [event for event in events if isinstance(event, Progress)]
        iterations = [report.iteration for report in reports]
        assert iterations == sorted(set(iterations)) and iterations[-1] == 25 and len(reports) >= 3
        for report in reports:
            parts = [loss for name, loss in report.losses.items() if name != "total"]
            assert len(parts) >= 2 and math.fsum(parts) == pytest.approx(report.losses["total"], rel=1e-4)
            assert report.total_iterations == 25 and report.images_per_second > 0

    def test_leaves_whole_files_only(self, events: list[Event], scratch: Path) -> None:
        assert {path.name for path in scratch.iterdir()} == {
            "checkpoint-10.pt",
            "checkpoint-20.pt",
            "weights.safetensors",
        }
        assert trained(events).transplant_ledger is None

    def test_weights_say_what_they_are(self, events: list[Event]) -> None:
        weights = read_weights(trained(events).weights)
        assert (weights.family, weights.class_count) == ("light", 2)
        assert {tensor.dtype for tensor in weights.tensors.values()} == {torch.float32}

    def test_frozen_stages_keep_their_starting_weights(self, events: list[Event], rectangles: Dataset) -> None:
        detector = load_detector(DETECTOR, 2, trained(events).weights)
        torch.manual_seed(1)
        start = build_detector(DETECTOR, 2)
        kept = [
            all(torch.equal(old, new) for old, new in zip(before.parameters(), after.parameters(), strict=True))
            for befores, afters in zip(start.backbone_stages(), detector.backbone_stages(), strict=True)
            for before, after in zip(befores, afters, strict=True)
        ]
        # The stem has two modules, the other stages one.
        assert kept == [True] * 4 + [False] * 5

    def test_batch_statistics_stay_as_they_were(self, events: list[Event]) -> None:
        tensors = read_weights(trained(events).weights).tensors
        means = [tensor for name, tensor in tensors.items() if name.endswith("running_mean")]
        assert means and all((mean == 0).all() for mean in means)

    def test_closing_ends_the_background_work(self, rectangles: Dataset, tmp_path: Path) -> None:
        task = tiny_task(1000)
        events = train(task, rectangles, device=CPU, scratch=tmp_path, init_from=None, resume_from=None)
        next(events)
        events.close()
        assert not [thread for thread in threading.enumerate() if thread.name.startswith("prefetch")]


class TestRepeatability:
    def test_same_task_gives_the_same_weights_and_another_seed_others(
        self, rectangles: Dataset, tmp_path: Path
    ) -> None:
        first, again, other = (
            trained(run(tiny_task(4, seed=seed), rectangles, tmp_path / name)).weights
            for name, seed in (("first", 1), ("again", 1), ("other", 2))
        )
        assert first.read_bytes() == again.read_bytes()
        assert not same_tensors(first, other)

    def test_resumed_training_equals_straight_training_bit_for_bit(self, rectangles: Dataset, tmp_path: Path) -> None:
        task = tiny_task(12, checkpoint_every=6, frozen_stages=1)
        straight = run(task, rectangles, tmp_path / "straight")
        checkpoint = next(event for event in straight if isinstance(event, Checkpoint))
        resumed = run(task, rectangles, tmp_path / "resumed", resume_from=checkpoint.path)
        assert trained(straight).weights.read_bytes() == trained(resumed).weights.read_bytes()
        assert min(event.iteration for event in resumed if isinstance(event, Progress)) > checkpoint.iteration
        assert trained(resumed).iterations == 12

    @pytest.mark.parametrize(
        "changes",
        [
            {"gradient_accumulation": 2},
            {"gradient_clip_norm": 0.01},
            {"ema_decay": 0.0},
            {"lr_reference_batch": 1},
            {"repeat_threshold": 0.9},
            {"backbone_pull": 0.1},
            {"augmentation": {"multi_scale": 0.5}},
            {"augmentation": {"min_zoom": 0.1, "max_zoom": 2.0}},
            {"augmentation": {"color_jitter": 0.5}},
        ],
        ids=lambda changes: json.dumps(changes),
    )
    def test_every_option_resumes_bit_for_bit_and_changes_the_result(
        self, rectangles: Dataset, tmp_path: Path, changes: dict[str, object]
    ) -> None:
        task = tiny_task(4, checkpoint_every=2, frozen_stages=1)
        plain = trained(run(task, rectangles, tmp_path / "plain")).weights
        ParseDict(changes, task.solver)
        straight = run(task, rectangles, tmp_path / "straight")
        checkpoint = next(event for event in straight if isinstance(event, Checkpoint))
        resumed = run(task, rectangles, tmp_path / "resumed", resume_from=checkpoint.path)
        assert trained(straight).weights.read_bytes() == trained(resumed).weights.read_bytes() != plain.read_bytes()

    def test_training_that_was_killed_at_any_iteration_goes_on_bit_for_bit(
        self, rectangles: Dataset, tmp_path: Path
    ) -> None:
        straight = run(tiny_task(14, checkpoint_every=1, frozen_stages=1), rectangles, tmp_path / "straight")
        checkpoints = [event for event in straight if isinstance(event, Checkpoint)]
        for checkpoint in random.Random(7).sample(checkpoints, 4):
            folder = tmp_path / f"from {checkpoint.iteration}"
            task = tiny_task(14, frozen_stages=1)
            resumed = run(task, rectangles, folder, resume_from=checkpoint.path)
            assert trained(resumed).weights.read_bytes() == trained(straight).weights.read_bytes(), checkpoint


class TestDivergence:
    def test_goes_on_once_from_the_last_checkpoint_more_carefully(self, rectangles: Dataset, tmp_path: Path) -> None:
        task = tiny_task(12, checkpoint_every=4)
        events = train(task, rectangles, device=CPU, scratch=tmp_path, init_from=None, resume_from=None)
        seen: list[Event] = []
        for event in events:
            seen.append(event)
            if isinstance(event, Checkpoint) and event.iteration == 8 and not rolled_back(seen):
                spoil_weights()
        (rollback,) = rolled_back(seen)
        assert rollback.to_iteration == 8 and "the loss is nan" in rollback.why
        assert all(tensor.isfinite().all() for tensor in load_file(trained(seen).weights).values())
        rates = [event.learning_rate for event in seen if isinstance(event, Progress)]
        assert rates[-1] < learning_rate_at(11, task.solver)
        assert not (tmp_path / LAST_CHECKPOINT).exists()

    def test_a_careful_course_goes_on_as_it_was(self, rectangles: Dataset, tmp_path: Path) -> None:
        task = tiny_task(12, checkpoint_every=4)
        weights = []
        for name in ("straight", "resumed"):
            folder = tmp_path / name
            folder.mkdir()
            seen: list[Event] = []
            resume_from = tmp_path / "straight" / "checkpoint-8.pt" if name == "resumed" else None
            for event in train(task, rectangles, device=CPU, scratch=folder, init_from=None, resume_from=resume_from):
                seen.append(event)
                if isinstance(event, Checkpoint) and event.iteration == 4 and not rolled_back(seen):
                    spoil_weights()
            weights.append(trained(seen).weights.read_bytes())
        assert weights[0] == weights[1]

    def test_twice_is_a_failure_with_its_reason(self, rectangles: Dataset, tmp_path: Path) -> None:
        task = tiny_task(20, learning_rate=1e30, gradient_clip_norm=1e30)
        seen: list[Event] = []
        with pytest.raises(CasslError) as caught:
            seen.extend(train(task, rectangles, device=CPU, scratch=tmp_path, init_from=None, resume_from=None))
        assert caught.value.reason == "TRAINING_DIVERGED"


def rolled_back(events: list[Event]) -> list[RolledBack]:
    return [event for event in events if isinstance(event, RolledBack)]


def spoil_weights() -> None:
    """What a fault of the memory might do: the weights of every detector that there is become NaN."""
    with torch.no_grad():
        for thing in gc.get_objects():
            if issubclass(type(thing), Detector):
                for parameter in thing.parameters():
                    parameter.fill_(math.nan)


class TestFiles:
    def test_folder_that_cannot_be_written_is_a_storage_failure(self, rectangles: Dataset, tmp_path: Path) -> None:
        for task in (tiny_task(1), tiny_task(2, checkpoint_every=1)):
            with pytest.raises(CasslError) as caught:
                list(train(task, rectangles, device=CPU, scratch=tmp_path / "no", init_from=None, resume_from=None))
            assert caught.value.reason == "STORAGE_FAILED"


class TestInitFrom:
    def test_starts_from_the_given_weights_and_leaves_a_ledger(self, rectangles: Dataset, tmp_path: Path) -> None:
        agnostic = Dataset((Category(1, "object"),), rectangle_dataset(tmp_path, [0]).images, tmp_path)
        warm = trained(run(tiny_task(2), agnostic, tmp_path / "warm")).weights
        task = tiny_task(1)
        task.init_from.CopyFrom(InitFrom(weights="", carry=CARRIED))
        task.solver.learning_rate = 1e-12
        end = trained(run(task, rectangles, tmp_path / "fine", init_from=warm))
        assert end.transplant_ledger is not None
        ledger = json.loads(end.transplant_ledger.read_text())
        assert {entry["action"] for entry in ledger["tensors"]} == {"copied", "reinitialized", "dropped"}
        before, after = load_file(warm), load_file(end.weights)
        for entry in ledger["tensors"]:
            if entry["action"] == "copied":
                torch.testing.assert_close(after[entry["name"]], before[entry["name"]], rtol=0, atol=1e-8)

    def test_backbone_is_pulled_towards_imagenet_not_towards_the_given_weights(
        self, rectangles: Dataset, tmp_path: Path
    ) -> None:
        imagenet = DetectorConfig()
        imagenet.CopyFrom(DETECTOR)
        imagenet.backbone_weights = "imagenet"
        warm = trained(run(tiny_task(1), rectangles, tmp_path / "warm")).weights
        task = tiny_task(1, learning_rate=1e-3, backbone_pull=1e6)
        task.solver.ema_decay = task.solver.frozen_stages = 0
        task.detector.CopyFrom(imagenet)
        task.init_from.CopyFrom(InitFrom(weights="", carry=CARRIED))
        after = load_file(trained(run(task, rectangles, tmp_path / "fine", init_from=warm)).weights)
        goals = build_detector(imagenet, 2)
        for name, goal in goals.named_parameters():
            if goals.part_of(name) == "backbone":
                torch.testing.assert_close(after[name], goal.detach())

    def test_weights_that_are_no_numbers_are_refused(self, rectangles: Dataset, tmp_path: Path) -> None:
        broken = state_of(build_detector(DETECTOR, 2))
        next(iter(broken.values())).data.fill_(math.nan)
        save_weights(tmp_path / "broken.safetensors", Weights("light", 2, broken))
        with pytest.raises(CasslError, match="not finite") as caught:
            run(tiny_task(1), rectangles, tmp_path, init_from=tmp_path / "broken.safetensors")
        assert caught.value.reason == "WEIGHTS_MISMATCH"

    def test_weights_that_cassl_did_not_write_are_refused(self, rectangles: Dataset, tmp_path: Path) -> None:
        plain, text = tmp_path / "plain.safetensors", tmp_path / "text.safetensors"
        save_file({"a": torch.zeros(1)}, plain)
        text.write_text("no weights")
        for path in (plain, text):
            with pytest.raises(CasslError, match=path.name) as caught:
                run(tiny_task(1), rectangles, tmp_path, init_from=path)
            assert caught.value.reason == "WEIGHTS_MISMATCH"


class TestAccumulation:
    def test_parts_give_the_mean_of_their_gradients(self, rectangles: Dataset) -> None:
        config = solver(1)
        config.images_per_batch = 4
        batch = TrainingBatches(rectangles, input_size=(64, 64), solver=config, seed=1).batch(0)
        torch.manual_seed(0)
        detector = build_detector(DETECTOR, 2)
        gradients = []
        for parts in ([batch], list(batch.split(2))):
            config.gradient_accumulation = 1
            detector.zero_grad()
            for part in parts:
                add_gradients(part, detector, config)
            gradients.append([weight.grad.clone() / len(parts) for weight in detector.parameters()])  # type: ignore[union-attr]
        config.gradient_accumulation = 2
        detector.zero_grad()
        losses = add_gradients(batch, detector, config)
        for weight, expected in zip(detector.parameters(), gradients[1], strict=True):
            torch.testing.assert_close(weight.grad, expected, rtol=1e-4, atol=1e-6)
        assert math.isfinite(sum(losses.values()))


class TestMultiScale:
    def test_a_backbone_that_takes_one_size_only_is_refused(self, rectangles: Dataset, tmp_path: Path) -> None:
        task = tiny_task(1)
        task.detector.backbone = "swin_tiny_patch4_window7_224"
        task.solver.augmentation.multi_scale = 0.25
        with pytest.raises(CasslError, match="one size only") as caught:
            run(task, rectangles, tmp_path)
        assert caught.value.reason == "CONFIG_INVALID"


class TestOddData:
    def test_a_class_without_any_instance_trains_to_finite_weights(self, rectangles: Dataset, tmp_path: Path) -> None:
        more = replace(rectangles, categories=(*CATEGORIES, Category(9, "never seen")))
        task = tiny_task(4, repeat_threshold=0.5)
        weights = read_weights(trained(run(task, more, tmp_path)).weights)
        assert weights.class_count == 3 and all(tensor.isfinite().all() for tensor in weights.tensors.values())

    def test_images_without_any_object_train_to_finite_weights(self, tmp_path: Path) -> None:
        events = run(tiny_task(5), rectangle_dataset(tmp_path, [0, 0, 0]), tmp_path)
        assert all(tensor.isfinite().all() for tensor in load_file(trained(events).weights).values())

    def test_no_images_is_an_error(self, tmp_path: Path) -> None:
        with pytest.raises(CasslError) as caught:
            run(tiny_task(1), Dataset(CATEGORIES, (), tmp_path), tmp_path)
        assert caught.value.reason == "DATASET_EMPTY"

    def test_broken_image_is_named(self, tmp_path: Path) -> None:
        dataset = rectangle_dataset(tmp_path, [1, 1])
        (tmp_path / "1.png").write_bytes(b"")
        with pytest.raises(CasslError, match=r"1\.png") as caught:
            run(tiny_task(2), dataset, tmp_path)
        assert caught.value.reason == "IMAGE_INVALID"

    def test_divergence_names_iteration_loss_and_learning_rate(self, rectangles: Dataset, tmp_path: Path) -> None:
        with pytest.raises(CasslError, match=r"iteration \d+ the loss is .* learning rate 5e\+") as caught:
            run(tiny_task(20, learning_rate=1e30, gradient_clip_norm=1e30), rectangles, tmp_path)
        assert caught.value.reason == "TRAINING_DIVERGED"
        assert not list(tmp_path.glob("weights*"))


class TestLearning:
    DETECTOR = DetectorConfig(
        family="light",
        backbone="tf_efficientnet_lite0",
        backbone_weights="imagenet",
        input_width_px=96,
        input_height_px=96,
        fpn_channels=32,
        head_convolutions=1,
        strides_px=[8, 16, 32],
    )
    SOLVER = SolverConfig(
        iterations=50,
        images_per_batch=8,
        gradient_accumulation=1,
        learning_rate=0.005,
        lr_ramp_iterations=5,
        weight_decay=0.05,
        gradient_clip_norm=10,
        ema_decay=0.9,
        frozen_stages=2,
        lr_factors=lr_factors(backbone=0.25),
        precision="auto",
        checkpoint_every_iterations=1000,
        augmentation=AugmentationConfig(flip_probability=0.5, min_zoom=0.9, max_zoom=1.1, color_jitter=0.1),
    )
    PREDICT = PredictConfig(score_threshold=0.3, nms_iou=0.5, max_candidates=100, max_detections=3)

    def test_rectangles_are_found_with_their_classes(self, rectangles: Dataset, tmp_path: Path) -> None:
        weights = trained(
            run(TrainTask(detector=self.DETECTOR, solver=self.SOLVER, seed=0), rectangles, tmp_path)
        ).weights
        detector = load_detector(self.DETECTOR, 2, weights)
        for record in rectangles.images:
            inputs = torch.from_numpy(letterbox(decode(record, rectangles.root), (96, 96)))
            (found,) = detect(detector, inputs[None], [(record.width_px, record.height_px)], self.PREDICT)
            for annotation, box in zip(record.annotations, boxes_xyxy(record.annotations), strict=True):
                assert self.best_iou(found, annotation.class_index, torch.from_numpy(box)) > 0.5
            assert len(record.annotations) > 0 or len(found.scores) == 0

    def best_iou(self, found: Detections, class_index: int, box: torch.Tensor) -> float:
        boxes = torch.from_numpy(found.boxes[found.classes == class_index])
        return float(box_iou(box[None], boxes).max()) if len(boxes) > 0 else 0.0
