"""Which images a batch shows, and how large. All of it follows from seed and iteration."""

import math

import numpy as np
from numpy.typing import NDArray

from cassl_worker import distributed
from cassl_worker.data import Dataset
from cassl_worker.images import Size

ORDER_STREAM, CHANGE_STREAM, SAMPLING_STREAM, REPEAT_STREAM, SIZE_STREAM, UNLABELED_STREAM = range(6)
"""Keep the random numbers of a seed for different purposes apart."""
SIZE_STEP_PX = 32
"""Sides of inputs are multiples of the backbone's coarsest stride."""

Repeats = NDArray[np.float64]
"""(I,), at least 1: how often a pass through the dataset shows each image, on average. Their sum is whole."""


def repeats_of(dataset: Dataset, threshold: float) -> Repeats:
    """Repeat factors of LVIS (arXiv 1908.03195, appendix B): an image counts as often as its rarest class asks for,
    sqrt(threshold / share of the images that have the class). 0: all count once.

    They are raised by up to one image in all, so that every pass has the same length.
    """
    count = len(dataset.images)
    repeats = np.ones(count)
    if threshold == 0:
        return repeats
    classes = [np.unique(dataset.objects(position).classes) for position in range(count)]
    images_with = np.bincount(np.concatenate(classes), minlength=dataset.class_count)
    factors = np.sqrt(threshold * count / np.maximum(images_with, 1)).clip(min=1)
    for position, present in enumerate(classes):
        repeats[position] = factors[present].max(initial=1)
    repeats *= math.ceil(repeats.sum()) / repeats.sum()
    return repeats


def batch_positions(seed: int, iteration: int, images_per_batch: int, repeats: Repeats) -> list[int]:
    """Positions in the dataset of a batch's images. Each pass through the dataset has an order of its own."""
    pass_length = round(repeats.sum())
    drawn = [divmod(iteration * images_per_batch + slot, pass_length) for slot in range(images_per_batch)]
    orders = {number: order_of_pass(seed, number, repeats) for number in {number for number, _ in drawn}}
    return [int(orders[number][place]) for number, place in drawn]


def order_of_pass(seed: int, number: int, repeats: Repeats) -> NDArray[np.int64]:
    """Every position as often as it is to be repeated, rounded up or down at random, in random order."""
    offset = np.random.default_rng([seed, REPEAT_STREAM, number]).random()
    # Systematic sampling: how many of offset, offset + 1, ... fall into a position's stretch of the sum.
    ends = np.ceil(np.cumsum(repeats) - offset).astype(np.int64)
    ends[-1] = round(repeats.sum())
    counts = np.diff(ends, prepend=0)
    positions = np.repeat(np.arange(len(repeats)), counts)
    return np.random.default_rng([seed, ORDER_STREAM, number]).permutation(positions)


def input_size_at(seed: int, iteration: int, input_size: Size, multi_scale: float) -> Size:
    """The size of a batch's inputs: both sides times the same random factor in 1 - multi_scale .. 1 + multi_scale."""
    if multi_scale == 0:
        return input_size
    factor = np.random.default_rng([seed, SIZE_STREAM, iteration]).uniform(1 - multi_scale, 1 + multi_scale)
    width, height = (max(SIZE_STEP_PX, SIZE_STEP_PX * round(side * factor / SIZE_STEP_PX)) for side in input_size)
    return width, height


def own_slots(images_per_batch: int, parts: int) -> list[int]:
    """Which images of a batch this process learns from: its share of each of the parts that the batch is split into."""
    size = images_per_batch // parts
    return [part * size + place for part in range(parts) for place in distributed.share_of(size)]


def sampling_seed(seed: int, iteration: int, rank: int = 0) -> int:
    """The seed of what a detector draws in an iteration, such as the regions that it learns from. rank: of the process,
    so that each draws differently."""
    entropy = [seed, SAMPLING_STREAM, iteration, *([rank] if rank > 0 else [])]
    return int(np.random.SeedSequence(entropy).generate_state(1)[0])


def change_seed(seed: int, iteration: int, slot: int) -> int:
    """The seed of the changes to an image of a batch, for who cannot be given a generator."""
    return int(np.random.SeedSequence([seed, CHANGE_STREAM, iteration, slot]).generate_state(1)[0])
