"""Fixtures of all tests. Importing the worker first makes its environment settings count when torch is loaded."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from rectangles import rectangle_dataset

import cassl_worker  # noqa: F401
from cassl_worker.data import Dataset

# How long an example takes says more of what else the machine does.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture(scope="session")
def rectangles(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Eight images of 96 x 80 px with one to three rectangles of two colors; the last one is empty."""
    folder: Path = tmp_path_factory.mktemp("rectangles")
    return rectangle_dataset(folder, [1, 2, 3, 1, 2, 3, 2, 0])


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """Detectors this small are slower on more."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
