"""The mean teacher: what it is taught by, that it repeats and goes on exactly."""

import random
from pathlib import Path

import numpy as np
import pytest
import torch
from rectangles import rectangle_dataset
from tiny import PREDICT, solver, train_task
from training import train

from cassl.v1.task_pb2 import MeanTeacherTask, PredictConfig

from cassl_worker.data import Dataset
from cassl_worker.detections import Detections
from cassl_worker.detectors.interface import Detector
from cassl_worker.errors import CasslError
from cassl_worker.images import View
from cassl_worker.mean_teacher import MeanTeacherRecipe, target_of, teacher_of
from cassl_worker.records import Checkpoint, Event, Trained
from cassl_worker.strong_augmentation import change_appearance, erase_patches
from cassl_worker.train import follow

CPU = torch.device("cpu")
pytestmark = pytest.mark.usefixtures("one_thread")


def task_of(iterations: int, burn_in: int, threshold: float = 0.0, checkpoint_every: int = 1000) -> MeanTeacherTask:
    predict = PredictConfig()
    predict.CopyFrom(PREDICT)
    predict.score_threshold = threshold
    task = MeanTeacherTask(burn_in_iterations=burn_in, labeled_images_per_batch=2, predict=predict)
    task.train.CopyFrom(train_task("", solver(iterations, checkpoint_every)))
    task.train.solver.images_per_batch = 4
    return task


@pytest.fixture(scope="module")
def unlabeled(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return rectangle_dataset(tmp_path_factory.mktemp("unlabeled"), [1, 2, 0, 3])


def recipe_of(task: MeanTeacherTask, labeled: Dataset, unlabeled: Dataset, scratch: Path) -> MeanTeacherRecipe:
    scratch.mkdir(exist_ok=True)
    return MeanTeacherRecipe(task, labeled, unlabeled, CPU, scratch)


def weights_of(events: list[Event]) -> bytes:
    assert isinstance(events[-1], Trained)
    return events[-1].weights.read_bytes()


class TestBatches:
    def test_are_of_labeled_images_first_and_then_of_both_kinds(
        self, rectangles: Dataset, unlabeled: Dataset, tmp_path: Path
    ) -> None:
        recipe = recipe_of(task_of(5, burn_in=3), rectangles, unlabeled, tmp_path)
        assert recipe.pieces == (2, 2) and recipe.most_processes == 2
        state = recipe.start()
        items = list(recipe.batches(0, seed=1))
        assert [item.unlabeled is None for item in items] == [True] * 3 + [False] * 2
        batches = [recipe.batch_of(item, state) for item in items]
        assert {batch.images.shape[0] for batch in batches} == {len(batch.targets) for batch in batches} == {4}
        assert {item.labeled.images.shape[0] for item in items[3:]} == {2}

    def test_unlabeled_images_are_learned_only_as_the_teacher_sees_them(
        self, rectangles: Dataset, unlabeled: Dataset, tmp_path: Path
    ) -> None:
        counts = []
        for threshold in (0.0, 1.0):
            recipe = recipe_of(task_of(1, burn_in=0, threshold=threshold), rectangles, unlabeled, tmp_path)
            state = recipe.start()
            (item,) = recipe.batches(0, seed=1)
            targets = recipe.batch_of(item, state).targets
            counts.append([len(target.labels) for target in targets[2:]])
        assert min(counts[0]) > 0 and counts[1] == [0, 0]

    def test_what_the_teacher_found_is_moved_with_the_view(self) -> None:
        found = Detections(
            boxes=np.array([[10, 20, 30, 40], [70, 0, 100, 10]], np.float32),
            scores=np.ones(2, np.float32),
            classes=np.array([1, 0], np.int32),
        )
        target = target_of(found, (100, 50), View((0, 0, 0.5, 1), (0, 0, 100, 100), flipped=True))
        # The left half, twice as large and mirrored; the second object is not in it.
        torch.testing.assert_close(target.boxes, torch.tensor([[40.0, 40, 80, 80]]))
        assert target.labels.tolist() == [1]


class TestTeacher:
    def test_is_the_moving_average_at_every_moment(
        self, rectangles: Dataset, unlabeled: Dataset, tmp_path: Path
    ) -> None:
        state = recipe_of(task_of(1, 0), rectangles, unlabeled, tmp_path).start()
        teacher = teacher_of(state)
        for average in state.average:
            average.add_(0.01)
        weights = dict(teacher.named_parameters())
        for name, average in zip(state.learning, state.average, strict=True):
            assert torch.equal(weights[name], average) and not torch.equal(weights[name], state.learning[name])
        frozen = [name for name, weight in state.detector.named_parameters() if name not in state.learning]
        student = dict(state.detector.named_parameters())
        assert frozen and all(torch.equal(weights[name], student[name]) for name in frozen)
        assert isinstance(teacher, Detector)


class TestTraining:
    def test_without_anything_but_burn_in_it_is_supervised_training(
        self, rectangles: Dataset, unlabeled: Dataset, tmp_path: Path
    ) -> None:
        task = task_of(4, burn_in=4)
        ours = list(follow(recipe_of(task, rectangles, unlabeled, tmp_path), scratch=tmp_path, resume_from=None))
        other = tmp_path / "supervised"
        other.mkdir()
        plain = train(task.train, rectangles, device=CPU, scratch=other, init_from=None, resume_from=None)
        assert weights_of(ours) == weights_of(list(plain))

    def test_goes_on_bit_for_bit_from_any_checkpoint(
        self, rectangles: Dataset, unlabeled: Dataset, tmp_path: Path
    ) -> None:
        task = task_of(8, burn_in=3, checkpoint_every=1)
        folder = tmp_path / "straight"
        recipe = recipe_of(task, rectangles, unlabeled, folder)
        straight = list(follow(recipe, scratch=folder, resume_from=None))
        checkpoints = [event for event in straight if isinstance(event, Checkpoint)]
        for checkpoint in random.Random(5).sample(checkpoints, 3):
            again = tmp_path / str(checkpoint.iteration)
            recipe = recipe_of(task, rectangles, unlabeled, again)
            resumed = list(follow(recipe, scratch=again, resume_from=checkpoint.path))
            assert weights_of(resumed) == weights_of(straight), checkpoint

    def test_no_unlabeled_images_is_an_error(self, rectangles: Dataset, tmp_path: Path) -> None:
        with pytest.raises(CasslError) as caught:
            recipe_of(task_of(1, 0), rectangles, Dataset((), (), tmp_path), tmp_path)
        assert caught.value.reason == "DATASET_EMPTY"


class TestStrongAugmentation:
    def test_is_the_same_for_the_same_seed_and_leaves_its_input_alone(self) -> None:
        pixels = np.random.default_rng(0).integers(0, 256, (40, 60, 3)).astype(np.uint8)
        before = pixels.copy()

        def changed(seed: int) -> bytes:
            rng = np.random.default_rng(seed)
            return erase_patches(change_appearance(pixels, rng), rng).tobytes()

        assert changed(1) == changed(1) and len({changed(seed) for seed in range(20)}) >= 19
        assert np.array_equal(pixels, before)

    def test_erases_less_than_the_image(self) -> None:
        pixels = np.zeros((50, 50, 3), np.uint8)
        shares = [(erase_patches(pixels, np.random.default_rng(seed)) > 0).mean() for seed in range(100)]
        assert min(shares) == 0 and 0.2 < max(shares) <= 0.6
