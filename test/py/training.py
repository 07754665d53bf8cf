"""A training of a detector, as a worker does it."""

import threading
from collections.abc import Generator
from pathlib import Path

import torch

from cassl.v1.task_pb2 import TrainTask

from cassl_worker.data import Dataset
from cassl_worker.recipe import DetectorRecipe
from cassl_worker.records import Event
from cassl_worker.train import follow


def train(
    task: TrainTask,
    dataset: Dataset,
    *,
    device: torch.device,
    scratch: Path,
    init_from: Path | None,
    resume_from: Path | None,
    pause: threading.Event | None = None,
) -> Generator[Event]:
    recipe = DetectorRecipe(task, dataset, device, scratch, init_from)
    return follow(recipe, scratch=scratch, resume_from=resume_from, pause=pause)
