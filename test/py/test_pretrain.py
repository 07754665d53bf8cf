"""Pretraining without labels: that it learns, repeats, goes on exactly, and gives a backbone to fine-tune."""

import json
import math
import random
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from rectangles import rectangle_dataset
from safetensors.torch import load_file
from tiny import DETECTOR, solver, train_task
from training import train

from cassl.v1.task_pb2 import DetectorConfig, InitFrom, PretrainTask, SolverConfig

from cassl_worker.checkpoint import read_weights
from cassl_worker.data import Dataset
from cassl_worker.detectors import build_detector
from cassl_worker.errors import CasslError
from cassl_worker.iteration import training_step
from cassl_worker.pretrain import PretrainRecipe
from cassl_worker.records import Checkpoint, Event, Trained
from cassl_worker.strong_augmentation import draw_crop
from cassl_worker.train import follow

CPU = torch.device("cpu")
pytestmark = pytest.mark.usefixtures("one_thread")


def pretrain_task(iterations: int, checkpoint_every: int = 1000, **changes: object) -> PretrainTask:
    task = PretrainTask(train=train_task("", solver(iterations, checkpoint_every)), min_view_area=0.2)
    task.train.solver.images_per_batch = 8
    task.train.solver.MergeFrom(SolverConfig(**changes))  # type: ignore[arg-type]
    return task


def run(task: PretrainTask, dataset: Dataset, scratch: Path, resume_from: Path | None = None) -> list[Event]:
    scratch.mkdir(exist_ok=True)
    return list(follow(PretrainRecipe(task, dataset, CPU, scratch), scratch=scratch, resume_from=resume_from))


def trained(events: list[Event]) -> Trained:
    assert isinstance(events[-1], Trained)
    return events[-1]


@pytest.fixture(scope="module")
def events(rectangles: Dataset, tmp_path_factory: pytest.TempPathFactory) -> list[Event]:
    folder = tmp_path_factory.mktemp("pretrained")
    return run(pretrain_task(3, frozen_stages=1), rectangles, folder)


class TestPretraining:
    def test_views_come_to_agree(self, rectangles: Dataset, tmp_path: Path) -> None:
        task = pretrain_task(30, frozen_stages=1, learning_rate=0.003)
        recipe = PretrainRecipe(task, rectangles, CPU, tmp_path)
        state, batch = recipe.start(), next(recipe.batches(0, seed=1))
        losses = [training_step(iteration, batch, state, task.train.solver)["disagreement"] for iteration in range(30)]
        assert losses[0] == pytest.approx(1, abs=0.3) and 0 <= losses[-1] < losses[0] - 0.2

    def test_changes_the_backbone_only_and_leaves_its_stored_statistics_as_they_were(self, events: list[Event]) -> None:
        tensors = read_weights(trained(events).weights).tensors
        torch.manual_seed(1)
        start = build_detector(DETECTOR, 1)
        states = {name: tensor for name, tensor in start.state_dict().items() if tensor.is_floating_point()}
        assert tensors.keys() == states.keys()
        changed = {name for name, tensor in tensors.items() if not torch.equal(tensor, states[name])}
        assert {start.part_of(name) for name in changed} == {"backbone"}
        assert not any("running_" in name for name in changed)

    def test_goes_on_bit_for_bit_from_any_checkpoint(self, rectangles: Dataset, tmp_path: Path) -> None:
        straight = run(pretrain_task(8, checkpoint_every=1), rectangles, tmp_path / "straight")
        checkpoints = [event for event in straight if isinstance(event, Checkpoint)]
        for checkpoint in random.Random(3).sample(checkpoints, 2):
            resumed = run(pretrain_task(8), rectangles, tmp_path / str(checkpoint.iteration), checkpoint.path)
            assert trained(resumed).weights.read_bytes() == trained(straight).weights.read_bytes(), checkpoint

    def test_annotations_make_no_difference(self, rectangles: Dataset, tmp_path: Path) -> None:
        bare = Dataset((), rectangles.images, rectangles.root)
        weights = [
            trained(run(pretrain_task(2), dataset, tmp_path / name)).weights.read_bytes()
            for name, dataset in (("with", rectangles), ("without", bare))
        ]
        assert weights[0] == weights[1]

    def test_a_fine_tune_starts_from_the_backbone_and_its_ledger_says_so(
        self, events: list[Event], rectangles: Dataset, tmp_path: Path
    ) -> None:
        for family in ("light", "retinanet"):
            folder = tmp_path / family
            folder.mkdir()
            task = train_task("", solver(1, 10))
            task.detector.family = family
            task.solver.learning_rate = 1e-12
            task.init_from.CopyFrom(InitFrom(carry=["backbone"], class_predictor="reinitialize"))
            start = trained(events).weights
            end = list(train(task, rectangles, device=CPU, scratch=folder, init_from=start, resume_from=None))[-1]
            assert isinstance(end, Trained) and end.transplant_ledger is not None
            ledger = json.loads(end.transplant_ledger.read_text())
            assert ledger["copied_share_by_part"]["backbone"] == 1
            assert {entry["part"] for entry in ledger["tensors"] if entry["action"] == "copied"} == {"backbone"}
            after = load_file(end.weights)
            for name, tensor in load_file(start).items():
                if not name.startswith("model.backbone.body."):
                    continue
                torch.testing.assert_close(after[name], tensor, rtol=0, atol=1e-8)


class TestBadInput:
    @pytest.mark.parametrize("views", [2, 7])
    def test_views_must_make_pairs(self, rectangles: Dataset, tmp_path: Path, views: int) -> None:
        with pytest.raises(CasslError, match=f"is {views}, but") as caught:
            run(pretrain_task(1, images_per_batch=views), rectangles, tmp_path)
        assert caught.value.reason == "CONFIG_INVALID"

    def test_no_images_is_an_error(self, tmp_path: Path) -> None:
        with pytest.raises(CasslError) as caught:
            run(pretrain_task(1), Dataset((), (), tmp_path), tmp_path)
        assert caught.value.reason == "DATASET_EMPTY"

    def test_divergence_ends_with_its_reason(self, tmp_path: Path) -> None:
        dataset = rectangle_dataset(tmp_path, [1, 1, 1, 1])
        with pytest.raises(CasslError) as caught:
            run(pretrain_task(20, learning_rate=1e30, gradient_clip_norm=1e30), dataset, tmp_path)
        assert caught.value.reason == "TRAINING_DIVERGED"

    def test_a_worker_without_lightly_says_how_to_get_it(
        self, rectangles: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, "lightly.loss.negative_cosine_similarity", None)
        with pytest.raises(CasslError, match="self_supervised") as caught:
            run(pretrain_task(1), rectangles, tmp_path)
        assert caught.value.reason == "WORKER_INCOMPLETE" and "ssl" in caught.value.remedy


class TestCrops:
    def test_lie_inside_the_image_and_are_as_large_as_asked(self) -> None:
        rng = np.random.default_rng(0)
        for size in ((96, 80), (400, 20)):
            for _ in range(200):
                view = draw_crop(rng, size, (64, 48), min_area=0.2)
                left, top, right, bottom = view.region
                assert left >= 0 and top >= 0 and right <= 1 + 1e-9 and bottom <= 1 + 1e-9
                assert view.place == (0, 0, 64, 48)
                area = (right - left) * (bottom - top)
                assert area >= 0.2 - 1e-9 and (size == (400, 20) or area <= 1)
        assert math.isclose(area, 1)


def test_detectors_of_any_input_size_have_features_to_pool(rectangles: Dataset, tmp_path: Path) -> None:
    task = pretrain_task(1)
    task.train.detector.MergeFrom(DetectorConfig(input_width_px=64, input_height_px=96))
    assert trained(run(task, rectangles, tmp_path)).iterations == 1
