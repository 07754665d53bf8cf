"""Which images batches show: passes, repeated images of rare classes, sizes of inputs."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from cassl_worker.data import Annotation, Category, Dataset, ImageRecord, Labels
from cassl_worker.sampling import batch_positions, input_size_at, order_of_pass, repeats_of


def dataset_of(classes: Sequence[Sequence[int]], class_count: int) -> Dataset:
    """An image an entry, with an object of each of its classes."""
    images = tuple(
        ImageRecord(at, f"{at}.png", "", 9, 9, tuple(Annotation((1, 1, 2, 2), index, 4, False) for index in present))
        for at, present in enumerate(classes)
    )
    return Dataset(tuple(Category(index, str(index)) for index in range(class_count)), images, Path())


class TestPasses:
    @given(st.integers(0, 2**32 - 1), st.integers(1, 9), st.integers(1, 20))
    def test_each_pass_shows_every_image_once(self, seed: int, images_per_batch: int, image_count: int) -> None:
        repeats = np.ones(image_count)
        iterations = range(-(-2 * image_count // images_per_batch))
        shown = [at for iteration in iterations for at in batch_positions(seed, iteration, images_per_batch, repeats)]
        assert sorted(shown[:image_count]) == list(range(image_count))
        assert sorted(shown[image_count : 2 * image_count]) == list(range(image_count))

    @given(st.lists(st.floats(1, 6), min_size=1, max_size=30), st.integers(0, 99), st.integers(0, 9))
    def test_each_pass_repeats_every_image_as_asked_rounded_up_or_down(
        self, given_repeats: list[float], seed: int, number: int
    ) -> None:
        total = np.ceil(np.sum(given_repeats))
        repeats = np.array(given_repeats) * (total / np.sum(given_repeats))
        order = order_of_pass(seed, number, repeats)
        counts = np.bincount(order, minlength=len(repeats))
        assert len(order) == total and (np.abs(counts - repeats) < 1 + 1e-9).all()

    def test_over_many_passes_the_mean_is_what_was_asked(self) -> None:
        repeats = np.array([1.0, 2.5, 1.25, 3.25])
        counts: NDArray[np.int64] = sum(
            (np.bincount(order_of_pass(3, number, repeats), minlength=4) for number in range(400)), np.zeros(4, int)
        )
        np.testing.assert_allclose(counts / 400, repeats, atol=0.1)


class TestRepeatFactors:
    CLASSES = ((0,), (0,), (0, 1), (0,), (), (0, 2), (0,), (0,))

    def test_are_those_of_lvis(self) -> None:
        dataset, threshold = dataset_of(self.CLASSES, 4), 0.5
        images_with = Counter(index for present in self.CLASSES for index in present)
        factors = {index: max(1.0, (threshold / (count / 8)) ** 0.5) for index, count in images_with.items()}
        expected = np.array([max([1.0, *(factors[index] for index in present)]) for present in self.CLASSES])
        repeats = repeats_of(dataset, threshold)
        np.testing.assert_allclose(repeats / repeats[0], expected)
        assert repeats.sum() == pytest.approx(np.ceil(expected.sum())) and repeats[2] == pytest.approx(2, rel=0.1)

    def test_threshold_zero_repeats_nothing(self) -> None:
        assert (repeats_of(dataset_of(self.CLASSES, 4), 0) == 1).all()

    def test_images_without_any_object_count_once(self) -> None:
        assert repeats_of(dataset_of([(), ()], 2), 0.5).tolist() == [1, 1]

    def test_count_pseudo_labels_where_those_are_learned(self) -> None:
        labels = Labels(np.array([0, 1, 1, 2]), np.ones((2, 4), np.float32), np.array([0, 0], np.int32), 1)
        dataset = replace(dataset_of([(), (), ()], 1), labels=labels)
        repeats, rare = repeats_of(dataset, 0.9), (0.9 / (2 / 3)) ** 0.5
        np.testing.assert_allclose(repeats / repeats[1], [rare, 1, rare])


class TestInputSizes:
    def test_stay_without_multi_scale(self) -> None:
        assert input_size_at(0, 5, (96, 64), 0) == (96, 64)

    @given(st.integers(0, 999), st.integers(0, 999), st.sampled_from([(64, 64), (256, 192), (1024, 800)]))
    def test_are_multiples_of_the_coarsest_stride_and_keep_their_shape(
        self, seed: int, iteration: int, size: tuple[int, int]
    ) -> None:
        drawn = input_size_at(seed, iteration, size, 0.5)
        factors = [side / whole for side, whole in zip(drawn, size, strict=True)]
        assert all(side % 32 == 0 and side >= 32 for side in drawn)
        assert abs(factors[0] - factors[1]) <= 32 / min(size)
        assert all(0.5 - 16 / min(size) <= factor <= 1.5 + 16 / min(size) for factor in factors)

    def test_are_drawn_anew_for_each_batch(self) -> None:
        assert len({input_size_at(1, iteration, (512, 512), 0.5) for iteration in range(20)}) > 8
