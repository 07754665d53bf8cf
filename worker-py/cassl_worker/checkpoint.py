"""Weight files (safetensors) and training checkpoints (torch). Nothing that is read here can run code."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from cassl.v1.task_pb2 import DetectorConfig

from cassl_worker.detectors import build_detector
from cassl_worker.detectors.interface import Detector, Learner
from cassl_worker.detectors.resnet_form import IMAGENET, ResNetForm, read_form
from cassl_worker.errors import CasslError

METADATA_KEY = "cassl"
"""Of the JSON {"family", "class_count", "resnet_form"} in the metadata of a weight file; the form is of ResNets unlike
torchvision's only."""


@dataclass(frozen=True)
class Weights:
    """The float32 state of a detector by tensor name.

    Attributes:
        absent: why tensors that the detector has are missing; only where another library made the weights.
        unused: shapes of what that library has and the detector has not, by its name there.
        form: of a ResNet; None where it is torchvision's, or the file does not say.
    """

    family: str
    class_count: int
    tensors: Mapping[str, Tensor]
    absent: Mapping[str, str] = field(default_factory=dict)
    unused: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    form: ResNetForm | None = None


def state_of(detector: nn.Module) -> dict[str, Tensor]:
    """What makes a detector. Tensors of whole numbers, such as batch counters, are left out: nothing reads them."""
    state = detector.state_dict().items()
    return {name: value for name, value in state if isinstance(value, Tensor) and value.is_floating_point()}


def save_weights(path: Path, weights: Weights) -> None:
    """Equal weights give equal bytes."""
    # One key, because safetensors writes several in random order.
    described: dict[str, object] = {"family": weights.family, "class_count": weights.class_count}
    if weights.form not in (None, IMAGENET):
        described["resnet_form"] = asdict(weights.form)
    metadata = {METADATA_KEY: json.dumps(described)}
    tensors = {name: tensor.detach().float().cpu().contiguous() for name, tensor in weights.tensors.items()}
    with replacing(path) as partial:
        save_file(tensors, partial, metadata)


def read_weights(path: Path) -> Weights:
    """WEIGHTS_MISMATCH if the file is not one that `save_weights` wrote."""
    try:
        with safe_open(path, framework="pt") as file:
            metadata = json.loads(file.metadata()[METADATA_KEY])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
        for name, tensor in tensors.items():
            if not tensor.isfinite().all():
                raise ValueError(f"`{name}` has values that are not finite numbers")
        form = read_form(metadata["resnet_form"]) if "resnet_form" in metadata else None
        return Weights(metadata["family"], metadata["class_count"], tensors, form=form)
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise CasslError(
            "WEIGHTS_MISMATCH", f"{path.name} holds no weights of cassl: {error}.", "Give weights that cassl trained."
        ) from error


def load_detector(config: DetectorConfig, class_count: int, path: Path) -> Detector:
    """The detector with the weights of a file; WEIGHTS_MISMATCH names what does not fit."""
    weights = read_weights(path)
    blank = DetectorConfig()
    blank.CopyFrom(config)
    blank.backbone_weights = "none"
    detector = build_detector(blank, class_count)
    state = state_of(detector)
    check_family(weights, config.family)
    for name in sorted(state.keys() | weights.tensors.keys()):
        check_same_shape(name, state.get(name), weights.tensors.get(name))
    copy_into(state, weights.tensors)
    return detector


def check_family(weights: Weights, family: str) -> None:
    if weights.family != family:
        raise mismatch(f"the weights are of the family `{weights.family}`, the detector is `{family}`")


def check_same_shape(name: str, ours: Tensor | None, given: Tensor | None) -> None:
    if ours is None or given is None:
        raise mismatch(f"`{name}` is missing in the {'detector' if ours is None else 'weights'}")
    if ours.shape != given.shape:
        raise mismatch(f"`{name}` is {list(given.shape)} in the weights and {list(ours.shape)} in the detector")


def mismatch(what: str) -> CasslError:
    return CasslError(
        "WEIGHTS_MISMATCH",
        f"The weights do not fit the detector: {what}.",
        "Give weights that were trained with the same `detector` settings.",
    )


@torch.no_grad()
def copy_into(state: Mapping[str, Tensor], given: Mapping[str, Tensor]) -> None:
    """Overwrites the tensors of `state` that `given` has, in place."""
    for name, tensor in state.items():
        if name in given:
            tensor.copy_(given[name])


@dataclass(frozen=True)
class TrainingState:
    """What training changes.

    Attributes:
        learning: its parameters that are not frozen, by name.
        average: their moving average, in the same order.
        backbone_goals: by name, what the backbone is pulled towards; empty without a pull.
    """

    detector: Learner
    optimizer: torch.optim.Optimizer
    learning: Mapping[str, nn.Parameter]
    average: Sequence[Tensor]
    backbone_goals: Mapping[str, Tensor]


@dataclass(frozen=True)
class Course:
    """Where training is.

    Attributes:
        iteration: iterations done.
        rollbacks: how often it has diverged and gone on from an earlier checkpoint, more carefully.
    """

    iteration: int = 0
    rollbacks: int = 0


def save_checkpoint(path: Path, state: TrainingState, course: Course) -> None:
    """Writes everything that training needs to go on from `course`."""
    checkpoint = {
        "iteration": course.iteration,
        "rollbacks": course.rollbacks,
        "detector": state.detector.state_dict(),
        "optimizer": state.optimizer.state_dict(),
        "average": list(state.average),
    }
    with replacing(path) as partial:
        torch.save(checkpoint, partial)


def load_checkpoint(path: Path, state: TrainingState) -> Course:
    """Restores what `save_checkpoint` wrote, in place."""
    checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    state.detector.load_state_dict(checkpoint["detector"])
    state.optimizer.load_state_dict(checkpoint["optimizer"])
    for ours, saved in zip(state.average, checkpoint["average"], strict=True):
        ours.copy_(saved)
    return Course(int(checkpoint["iteration"]), int(checkpoint.get("rollbacks", 0)))


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A path to write to, which becomes `path` at the end: no reader ever sees half a file.

    STORAGE_FAILED if the writing fails.
    """
    partial = path.with_name(f"{path.name}.partial")
    try:
        yield partial
        partial.replace(path)
    except (OSError, RuntimeError, SafetensorError) as error:  # torch raises RuntimeError where the disk is full.
        raise CasslError(
            "STORAGE_FAILED",
            f"{path} cannot be written: {error}.",
            "Free space on the disk, then run it again.",
        ) from error
    finally:
        partial.unlink(missing_ok=True)
