"""What the torch side hands to the session side while it does a task. Neither is needed to know them."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Started:
    """The beginning of an attempt.

    Attributes:
        what: is done, such as `Training on 5 images`.
        images_per_process: of a batch of `images_per_batch`, which all processes together make; an entry each.
        learning_rate: its peak.
    """

    what: str
    iteration: int
    device: str
    images_per_batch: int
    images_per_process: tuple[int, ...]
    learning_rate: float


@dataclass(frozen=True)
class Progress:
    """
    Attributes:
        losses: mean of each over the iterations since the last Progress, and their sum as `total`.
        images_per_batch: over all processes.
        processes: that the training is divided over.
    """

    iteration: int
    total_iterations: int
    losses: dict[str, float]
    learning_rate: float
    images_per_second: float
    images_per_batch: int
    processes: int


@dataclass(frozen=True)
class Checkpoint:
    """`path` holds what training needs to go on after `iteration` iterations. The file is the receiver's to delete."""

    iteration: int
    path: Path


@dataclass(frozen=True)
class Trained:
    """The end. The weights are the moving average where the solver asks for one."""

    weights: Path
    iterations: int
    transplant_ledger: Path | None


@dataclass(frozen=True)
class RolledBack:
    """Training has diverged; it goes on from `to_iteration` with half the learning rate and another order of images."""

    why: str
    to_iteration: int


Event = Started | Progress | Checkpoint | RolledBack | Trained
"""Of a training."""


@dataclass(frozen=True)
class Shard:
    """Predictions of consecutive images.

    Attributes:
        payload: the columns of `image_count` images and `box_count` boxes; see proto/cassl/v1/prediction_frame.proto.
        mask_bytes: length of the column of masks. None: there are no masks.
    """

    shard: int
    image_count: int
    box_count: int
    payload: bytes
    mask_bytes: int | None = None
