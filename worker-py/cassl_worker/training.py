"""A training as files and numbers, and how it is begun: what a process needs to take part in it, wherever it runs."""

from collections.abc import Generator
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event as Flag
from typing import Any

import torch

from cassl.v1.task_pb2 import Task, TrainTask

from cassl_worker.data import Dataset, kept_dataset, read_labels
from cassl_worker.detectors import gives_masks
from cassl_worker.device import pick_device
from cassl_worker.mean_teacher import MeanTeacherRecipe, most_processes_of
from cassl_worker.pretrain import PretrainRecipe
from cassl_worker.recipe import DetectorRecipe, Recipe, most_processes
from cassl_worker.records import Event
from cassl_worker.train import follow


@dataclass(frozen=True)
class Training:
    """All kinds of training: `train`, `pretrain` and `mean_teacher`. Can be pickled.

    Attributes:
        task: a serialized Task.
        manifest: of the images; `labels` and `unlabeled` where the task names them.
        image_root: folder of the images' file names.
        image_cache: folder for copies of remote images.
        init_from: weights file that the task names.
        resume_from: file of a Checkpoint of the same task; only the first process's counts.
    """

    task: bytes
    manifest: Path
    image_root: Path
    image_cache: Path
    labels: Path | None = None
    unlabeled: Path | None = None
    init_from: Path | None = None
    resume_from: Path | None = None


def train_task_of(task: Task) -> TrainTask:
    """What all kinds of training have."""
    kind = task.WhichOneof("kind")
    return task.train if kind == "train" else getattr(task, str(kind)).train


def process_count_of(task: Task, wanted: int | None) -> int:
    """In how many processes a worker does a training. wanted: None: one for each GPU."""
    return min(max(1, torch.cuda.device_count() if wanted is None else wanted), most_processes_for(task))


def most_processes_for(task: Task) -> int:
    """As the recipe's, without its data."""
    match task.WhichOneof("kind"):
        case "mean_teacher":
            return most_processes_of(task.mean_teacher)
        case "train":
            return most_processes(task.train.solver)
        case _:
            return 1


def train_alone(training: Training, scratch: Path, pause: Flag) -> Generator[Event]:
    """In this process, on its first device."""
    return training_events(training, pick_device(), scratch, pause)


def training_events(
    training: Training, device: torch.device, scratch: Path, pause: Flag | None = None
) -> Generator[Event]:
    """This process's part of the training, alone or with the processes that it is joined with; see `follow`.

    scratch: an empty folder of this process alone.
    """
    recipe = recipe_of(training, device, scratch)
    return follow(recipe, scratch=scratch, resume_from=training.resume_from, pause=pause)


def recipe_of(training: Training, device: torch.device, scratch: Path) -> Recipe[Any]:
    task, init_from = Task.FromString(training.task), training.init_from
    dataset = dataset_of(training, training.manifest)
    match task.WhichOneof("kind"):
        case "pretrain":
            return PretrainRecipe(task.pretrain, dataset, device, scratch, init_from)
        case "mean_teacher":
            assert training.unlabeled is not None
            unlabeled = dataset_of(training, training.unlabeled)
            return MeanTeacherRecipe(task.mean_teacher, dataset, unlabeled, device, scratch, init_from)
        case _:
            return DetectorRecipe(task.train, labeled(dataset, task.train, training.labels), device, scratch, init_from)


def dataset_of(training: Training, manifest: Path) -> Dataset:
    return kept_dataset(manifest, training.image_root, training.image_cache)


def labeled(dataset: Dataset, task: TrainTask, labels: Path | None) -> Dataset:
    """With what is to be learned in place of its annotations, where there is such."""
    if labels is None:
        return dataset
    masks = gives_masks(task.detector.family)
    return replace(dataset, labels=read_labels(labels, len(dataset.images), task.labels.class_count, masks=masks))
