"""What changes weights: parameter groups, the learning-rate schedule, clipping and the moving average."""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from cassl.v1.task_pb2 import SolverConfig

from cassl_worker.detectors.interface import PARTS, Detector, Learner
from cassl_worker.errors import CasslError


def changed(solver: SolverConfig, **fields: float) -> SolverConfig:
    """A copy with other values of these fields."""
    copy = SolverConfig()
    copy.CopyFrom(solver)
    for name, value in fields.items():
        setattr(copy, name, value)
    return copy


def freeze_stages(detector: Detector, frozen_stages: int) -> None:
    """Keeps the starting weights of the stem and the first `frozen_stages` stages of the backbone; -1: of all.

    Gradients are not computed for what comes before the first weight that learns, so freezing also saves time.
    """
    stages = detector.backbone_stages()
    if frozen_stages > len(stages) - 1:
        raise CasslError(
            "CONFIG_INVALID",
            f"`frozen_stages` is {frozen_stages}, but the backbone has {len(stages) - 1} stages.",
            f"Choose -1 (all) or 0 to {len(stages) - 1}.",
        )
    # The stem stands before the stages.
    frozen = {-1: len(stages), 0: 0}.get(frozen_stages, frozen_stages + 1)
    for module in (module for stage in stages[:frozen] for module in stage):
        module.requires_grad_(False)


def build_optimizer(detector: Detector, solver: SolverConfig) -> torch.optim.AdamW:
    """AdamW over what learns, by part. Groups carry `lr_factor`."""
    groups: list[dict[str, Any]] = []
    for part in PARTS:
        learning = [weight for name, weight in learning_weights(detector).items() if detector.part_of(name) == part]
        groups += decay_groups(learning, getattr(solver.lr_factors, part), solver.weight_decay)
    return adamw(groups, solver)


def decay_groups(parameters: Sequence[Tensor], lr_factor: float, weight_decay: float) -> list[dict[str, Any]]:
    """Vectors (biases, normalization) do not decay."""
    matrices = [parameter for parameter in parameters if parameter.ndim > 1]
    vectors = [parameter for parameter in parameters if parameter.ndim <= 1]
    return [
        {"params": matrices, "lr_factor": lr_factor, "weight_decay": weight_decay},
        {"params": vectors, "lr_factor": lr_factor, "weight_decay": 0.0},
    ]


def adamw(groups: Sequence[dict[str, Any]], solver: SolverConfig) -> torch.optim.AdamW:
    return torch.optim.AdamW([group for group in groups if group["params"]], lr=solver.learning_rate, fused=True)


def learning_weights(detector: Learner) -> dict[str, nn.Parameter]:
    """The parameters that are not frozen, by name."""
    return {name: weight for name, weight in detector.named_parameters() if weight.requires_grad}


def backbone_weights(detector: Detector) -> dict[str, Tensor]:
    """A copy of the backbone's parameters."""
    return {
        name: weight.detach().clone()
        for name, weight in detector.named_parameters()
        if detector.part_of(name) == "backbone"
    }


def learning_rate_at(iteration: int, solver: SolverConfig) -> float:
    """The one-cycle schedule: a straight ramp to the peak, then half a cosine almost to 0. Iterations count from 0."""
    peak, ramp = peak_learning_rate(solver), solver.lr_ramp_iterations
    if iteration < ramp:
        return peak * (iteration + 1) / (ramp + 1)
    progress = (iteration - ramp) / (solver.iterations - ramp)
    return peak * (1 + math.cos(math.pi * progress)) / 2


def peak_learning_rate(solver: SolverConfig) -> float:
    """In proportion to the images of a batch (arXiv 1706.02677), where the solver says how many it is meant for."""
    reference = solver.lr_reference_batch
    return solver.learning_rate * (solver.images_per_batch / reference if reference > 0 else 1)


def set_learning_rate(optimizer: torch.optim.Optimizer, learning_rate: float) -> None:
    for group in optimizer.param_groups:
        group["lr"] = learning_rate * group["lr_factor"]


def clip_gradients(parameters: Sequence[Tensor], max_norm: float) -> Tensor:
    """Scales gradients so that their common norm is at most `max_norm` (0: any). Returns the norm that they had."""
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    norm = nn.utils.get_total_norm(gradients)
    if max_norm > 0:
        nn.utils.clip_grads_with_norm_(parameters, max_norm, norm)
    return norm


@torch.no_grad()
def update_average(average: Sequence[Tensor], weights: Sequence[Tensor], iteration: int, decay: float) -> None:
    """One step of the exponential moving average. Early steps decay faster, so that the start is soon forgotten."""
    torch._foreach_lerp_(list(average), list(weights), 1 - min(decay, (1 + iteration) / (10 + iteration)))


@torch.no_grad()
def pull(weights: Sequence[Tensor], goals: Sequence[Tensor], share: float) -> None:
    """Moves weights by a share, 0..1, of their distance to their goals."""
    if share > 0 and len(weights) > 0:
        torch._foreach_lerp_(list(weights), list(goals), min(share, 1.0))
