"""Prediction: from dense outputs to detections, from detections to shards."""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from rectangles import CATEGORIES, rectangle_dataset
from tiny import DETECTOR

from cassl.v1.task_pb2 import PredictConfig, PredictTask

from cassl_worker.checkpoint import Weights, save_weights, state_of
from cassl_worker.data import Dataset
from cassl_worker.detections import Detections, Selection, select, to_detections
from cassl_worker.detectors import build_detector
from cassl_worker.errors import CasslError
from cassl_worker.images import decode, letterbox
from cassl_worker.predict import detect, predict, to_shard
from cassl_worker.records import Shard

CPU = torch.device("cpu")
CONFIG = PredictConfig(
    score_threshold=0.05, nms_iou=0.6, max_candidates=50, max_detections=7, images_per_batch=2, shard_size=3
)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "weights.safetensors"
    save_weights(path, Weights("light", 2, state_of(build_detector(DETECTOR, 2))))
    return path


def run(dataset: Dataset, weights: Path, shards: Sequence[int] | None = None, class_count: int = 2) -> list[Shard]:
    """shards: all if None."""
    task = PredictTask(detector=DETECTOR, class_count=class_count, predict=CONFIG)
    due = range(math.ceil(len(dataset.images) / CONFIG.shard_size)) if shards is None else shards
    return list(predict(task, dataset, weights=weights, device=CPU, shards=due))


class Columns(NamedTuple):
    image_index: NDArray[np.int32]
    boxes_per_image: NDArray[np.int32]
    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    classes: NDArray[np.int32]


def columns(shard: Shard) -> Columns:
    images, boxes = shard.image_count, shard.box_count
    assert len(shard.payload) == 24 * boxes + 8 * images
    layout = [("<i4", images), ("<i4", images), ("<f4", 4 * boxes), ("<f4", boxes), ("<i4", boxes)]
    offsets = np.cumsum([0, *(4 * count for _, count in layout)])
    parts = [
        np.frombuffer(shard.payload, kind, count, offset)
        for (kind, count), offset in zip(layout, offsets[:-1], strict=True)
    ]
    return Columns(parts[0], parts[1], parts[2].reshape(-1, 4), parts[3], parts[4])


def images_of(shard: Columns) -> Iterator[tuple[int, Columns]]:
    """(position in the dataset, columns of that image alone)."""
    ends = np.cumsum(shard.boxes_per_image)
    for at, end, count in zip(shard.image_index, ends, shard.boxes_per_image, strict=True):
        rows = slice(end - count, end)
        one = Columns(
            shard.image_index, shard.boxes_per_image, shard.boxes[rows], shard.scores[rows], shard.classes[rows]
        )
        yield int(at), one


class TestShards:
    def test_hold_every_image_once_in_order(self, rectangles: Dataset, weights: Path) -> None:
        shards = run(rectangles, weights)
        assert [(shard.shard, shard.image_count) for shard in shards] == [(0, 3), (1, 3), (2, 2)]
        positions = np.concatenate([columns(shard).image_index for shard in shards])
        assert positions.tolist() == list(range(8))

    def test_columns_keep_the_promises_of_the_frame_format(self, rectangles: Dataset, weights: Path) -> None:
        shards = [columns(shard) for shard in run(rectangles, weights)]
        assert sum(len(shard.scores) for shard in shards) > 0
        for shard in shards:
            assert shard.boxes_per_image.sum() == len(shard.scores) and shard.boxes_per_image.max() <= 7
            for at, image in images_of(shard):
                record = rectangles.images[at]
                left, top, right, bottom = image.boxes.T
                assert (left >= 0).all() and (top >= 0).all() and (right > left).all() and (bottom > top).all()
                assert (right <= record.width_px).all() and (bottom <= record.height_px).all()
                assert (np.diff(image.scores) <= 0).all() and ((image.scores >= 0.05) & (image.scores <= 1)).all()
                assert set(image.classes) <= {0, 1}

    def test_are_the_same_whichever_are_asked_for_and_come_in_that_order(
        self, rectangles: Dataset, weights: Path
    ) -> None:
        shards = run(rectangles, weights)
        assert run(rectangles, weights, shards=[2, 0]) == [shards[2], shards[0]]
        assert run(rectangles, weights, shards=[]) == []

    def test_empty_dataset_has_none(self, weights: Path, tmp_path: Path) -> None:
        assert run(Dataset(CATEGORIES, (), tmp_path), weights) == []

    def test_broken_image_is_named(self, weights: Path, tmp_path: Path) -> None:
        dataset = rectangle_dataset(tmp_path, [1, 1, 1, 1])
        (tmp_path / "3.png").write_text("no image")
        task = PredictTask(detector=DETECTOR, class_count=2, predict=CONFIG)
        shards = predict(task, dataset, weights=weights, device=CPU, shards=range(2))
        assert next(shards).shard == 0
        with pytest.raises(CasslError, match=r"3\.png"):
            next(shards)

    def test_weights_for_other_classes_are_refused(self, rectangles: Dataset, weights: Path) -> None:
        with pytest.raises(CasslError, match="cls_logits") as caught:
            run(rectangles, weights, class_count=3)
        assert caught.value.reason == "WEIGHTS_MISMATCH"

    def test_a_shard_holds_what_detect_finds(self, rectangles: Dataset, weights: Path) -> None:
        torch.manual_seed(0)
        detector = build_detector(DETECTOR, 2)
        record = rectangles.images[4]
        inputs = torch.from_numpy(letterbox(decode(record, rectangles.root), (64, 64)))
        (found,) = detect(detector, inputs[None], [(record.width_px, record.height_px)], CONFIG)
        _, image = next(item for item in images_of(columns(run(rectangles, weights)[1])) if item[0] == 4)
        np.testing.assert_allclose(image.boxes, found.boxes, rtol=1e-4, atol=1e-3)
        np.testing.assert_allclose(image.scores, found.scores, rtol=1e-4)


class TestMasks:
    def detections(self, *masks: bytes) -> Detections:
        boxes = np.tile(np.array([1, 2, 3, 4], dtype=np.float32), (len(masks), 1))
        ones = np.ones(len(masks), dtype=np.float32)
        return Detections(boxes, ones, np.zeros(len(masks), dtype=np.int32), masks)

    def test_follow_the_other_columns_one_after_the_other(self) -> None:
        shard = to_shard(0, 0, [self.detections(b"01o", b"9"), self.detections(), self.detections(b"PPYo1")])
        assert (shard.image_count, shard.box_count, shard.mask_bytes) == (3, 3, 9)
        masks = shard.payload[8 * 3 + 24 * 3 :]
        assert np.frombuffer(masks, "<i4", 3).tolist() == [3, 1, 5]
        assert masks[4 * 3 :] == b"01o9PPYo1"

    def test_are_a_column_of_no_bytes_where_there_is_no_box(self) -> None:
        assert to_shard(0, 0, [self.detections()]).mask_bytes == 0
        without = Detections(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int32))
        assert to_shard(0, 0, [without]).mask_bytes is None


class TestSelect:
    BOXES = torch.tensor([[0.0, 0, 10, 10], [1, 0, 11, 10], [20, 20, 30, 30], [-40, -40, -30, -30]])

    def select(self, scores: list[list[float]], **changes: object) -> list[tuple[int, float, int]]:
        config = PredictConfig(score_threshold=0.3, nms_iou=0.5, max_candidates=100, max_detections=100)
        config.MergeFrom(PredictConfig(**changes))  # type: ignore[arg-type]
        found = select(self.BOXES, torch.tensor(scores), config)
        assert torch.equal(found.boxes, self.BOXES[found.candidates])
        rounded = [round(score, 3) for score in found.scores.tolist()]
        return list(zip(found.candidates.tolist(), rounded, found.classes.tolist(), strict=True))

    def test_suppresses_within_a_class_only(self) -> None:
        scores = [[0.9, 0.0], [0.8, 0.7], [0.0, 0.0], [0.0, 0.0]]
        assert self.select(scores) == [(0, 0.9, 0), (1, 0.7, 1)]

    def test_threshold_is_inclusive(self) -> None:
        assert self.select([[0.5], [0.0], [0.25], [0.0]], score_threshold=0.25) == [(0, 0.5, 0), (2, 0.25, 0)]

    def test_best_candidates_go_into_suppression_and_best_detections_come_out(self) -> None:
        scores = [[0.9], [0.8], [0.7], [0.6]]
        assert self.select(scores, max_candidates=2) == [(0, 0.9, 0)]
        assert self.select(scores, max_detections=2) == [(0, 0.9, 0), (2, 0.7, 0)]

    def test_equal_scores_keep_the_order_of_the_candidates(self) -> None:
        scores = [[0.5, 0.5], [0.5, 0.5], [0.5, 0.5], [0.5, 0.5]]
        assert self.select(scores) == [(at, 0.5, label) for at in (0, 2, 3) for label in (0, 1)]

    def test_nothing_above_the_threshold_gives_nothing(self) -> None:
        assert self.select([[0.1], [0.2], [0.0], [0.0]]) == []


coordinate = st.floats(-50, 300, width=32)
side = st.integers(1, 3000)


class TestToDetections:
    @given(st.lists(st.tuples(coordinate, coordinate, coordinate, coordinate), max_size=8), st.tuples(side, side))
    def test_boxes_lie_inside_the_image_and_have_area(
        self, corners: list[tuple[float, float, float, float]], size: tuple[int, int]
    ) -> None:
        boxes = torch.tensor(corners, dtype=torch.float32).reshape(-1, 4)
        numbers = torch.arange(len(boxes))
        selection = Selection(numbers, boxes, torch.ones(len(boxes)), 0 * numbers)
        solid, found = to_detections(selection, size, (256, 192))
        assert solid.sum() == len(found.boxes)
        assert (found.boxes[:, :2] >= 0).all() and (found.boxes[:, 2:] > found.boxes[:, :2]).all()
        assert (found.boxes[:, 2:] <= np.array(size)).all()

    def test_scales_from_the_letterbox_to_the_image(self) -> None:
        one = Selection(torch.tensor([3]), torch.tensor([[10.0, 20, 60, 50]]), torch.tensor([0.5]), torch.tensor([1]))
        _, found = to_detections(one, (400, 200), (200, 200))
        assert found.boxes.tolist() == [[20, 40, 120, 100]]
        assert (found.scores.tolist(), found.classes.tolist()) == ([0.5], [1])
