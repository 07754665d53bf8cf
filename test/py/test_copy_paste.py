"""Objects of one image pasted in front of another."""

from pathlib import Path

import numpy as np
import pytest
import torch
from ellipses import ellipse_dataset

from cassl.v1.task_pb2 import AugmentationConfig, SolverConfig

from cassl_worker.batches import TrainingBatches
from cassl_worker.copy_paste import paste_objects
from cassl_worker.detectors.interface import Target
from cassl_worker.images import Pixels

SIDE = 20


class Everything(np.random.Generator):
    """Chooses every object."""

    def __init__(self) -> None:
        super().__init__(np.random.PCG64(0))

    def random(self, size: int) -> np.ndarray:  # type: ignore[override]
        return np.zeros(size)


def target(*boxes: tuple[int, int, int, int], label: int = 0) -> Target:
    """Objects that fill their boxes."""
    masks = torch.zeros(len(boxes), SIDE, SIDE, dtype=torch.bool)
    for at, (left, top, right, bottom) in enumerate(boxes):
        masks[at, top:bottom, left:right] = True
    return Target(torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4), torch.full((len(boxes),), label), masks)


def plain(value: int) -> Pixels:
    return np.full((SIDE, SIDE, 3), value, dtype=np.uint8)


def paste(under: Target, over: Target) -> tuple[Pixels, Target]:
    return paste_objects(plain(10), under, plain(200), over, Everything())


def test_pasted_objects_keep_place_box_mask_and_class() -> None:
    over = target((2, 3, 8, 9), label=1)
    pixels, joined = paste(target((12, 12, 18, 18)), over)
    assert joined.boxes.tolist() == [[12, 12, 18, 18], [2, 3, 8, 9]]
    assert joined.labels.tolist() == [0, 1]
    assert joined.masks is not None and over.masks is not None
    assert torch.equal(joined.masks[1], over.masks[0])
    assert (pixels[3:9, 2:8] == 200).all()
    assert (pixels == 200).sum() == 6 * 6 * 3


def test_what_is_partly_hidden_has_the_mask_and_box_of_what_is_left() -> None:
    _, joined = paste(target((0, 0, 10, 10)), target((6, 0, 12, 12)))
    assert joined.boxes.tolist() == [[0, 0, 6, 10], [6, 0, 12, 12]]
    assert joined.masks is not None
    assert joined.masks.sum(dim=(1, 2)).tolist() == [60, 72]
    assert not (joined.masks[0] & joined.masks[1]).any()


@pytest.mark.parametrize(("width", "kept"), [(6, True), (8, False), (10, False)])
def test_what_is_hidden_by_more_than_70_per_cent_is_no_object(width: int, kept: bool) -> None:
    _, joined = paste(target((0, 0, 10, 10)), target((0, 0, width, 10)))
    assert len(joined.labels) == (2 if kept else 1)


def test_an_object_that_nothing_hides_keeps_a_box_larger_than_its_mask() -> None:
    under = target((0, 0, 4, 4))
    loose = Target(under.boxes + torch.tensor([0, 0, 1, 1]), under.labels, under.masks)
    _, joined = paste(loose, target((10, 10, 12, 12)))
    assert joined.boxes[0].tolist() == [0, 0, 5, 5]


@pytest.mark.parametrize(("under", "over"), [(target(), target((1, 1, 5, 5))), (target((1, 1, 5, 5)), target())])
def test_images_without_objects_take_and_give_none(under: Target, over: Target) -> None:
    _, joined = paste(under, over)
    assert joined.boxes.tolist() == [[1, 1, 5, 5]]


def test_a_batch_with_it_has_more_objects_and_without_it_stays_as_it_was(tmp_path: Path) -> None:
    dataset = ellipse_dataset(tmp_path, (1, 2, 3, 2))

    def objects(copy_paste: float, masks: bool = True) -> list[int]:
        augmentation = AugmentationConfig(min_zoom=1, max_zoom=1, copy_paste=copy_paste)
        solver = SolverConfig(images_per_batch=4, gradient_accumulation=1, augmentation=augmentation)
        batches = TrainingBatches(dataset, input_size=(96, 96), solver=solver, seed=1, masks=masks)
        return [len(one.labels) for iteration in range(4) for one in batches.batch(iteration).targets]

    assert sum(objects(1)) > sum(objects(0)) == 4 * 8
    assert objects(1) == objects(1)
    assert objects(1, masks=False) == objects(0)
