"""One iteration of a training: the gradients of a batch, over its parts and over processes, and what they change."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from cassl.v1.task_pb2 import SolverConfig

from cassl_worker import distributed
from cassl_worker.batches import Batch
from cassl_worker.checkpoint import TrainingState
from cassl_worker.detectors.interface import Detector, Learner
from cassl_worker.device import autocast
from cassl_worker.errors import CasslError, training_diverged
from cassl_worker.solver import clip_gradients, learning_rate_at, pull, set_learning_rate, update_average


def training_step(iteration: int, batch: Batch, state: TrainingState, solver: SolverConfig) -> dict[str, float]:
    """Changes the weights once, in all processes alike. Returns the losses before that, `total` included."""
    learning, learning_rate = list(state.learning.values()), learning_rate_at(iteration, solver)
    set_learning_rate(state.optimizer, learning_rate)
    state.optimizer.zero_grad()
    losses = add_gradients(batch, state.detector, solver)
    distributed.add_up_gradients(learning)
    values = distributed.summed(torch.stack(list(losses.values())))
    norm = clip_gradients(learning, solver.gradient_clip_norm).to(batch.images.device)
    # One transfer, because each waits for the device.
    *parts, total, norm_value = torch.stack([*values, values.sum(), norm]).tolist()
    if not math.isfinite(total) or not math.isfinite(norm_value):
        raise diverged(iteration + 1, total, norm_value, learning_rate)
    state.optimizer.step()
    pulled = [state.learning[name] for name in state.backbone_goals]
    share = learning_rate * solver.lr_factors.backbone * solver.backbone_pull
    pull(pulled, list(state.backbone_goals.values()), share)
    update_average(state.average, learning, iteration, solver.ema_decay)
    return dict(zip(losses, parts, strict=True)) | {"total": total}


def add_gradients(batch: Batch, learner: Learner, solver: SolverConfig) -> dict[str, Tensor]:
    """Computes the gradients of this process's images, part by part. Their sum over the processes is the gradient of
    the batch. Returns the mean of each loss over the parts; summed over the processes, that of the batch."""
    count, means = solver.gradient_accumulation, dict[str, Tensor]()
    height, width = batch.images.shape[1:3]
    if isinstance(learner, Detector) and learner.input_size != (width, height):
        learner.fit_to((width, height))
    for part in batch.split(count):
        losses = losses_of(part, learner, solver)
        divisors = [learner.divisors.get(name, len(part.images)) for name in losses]
        weighed = torch.stack(list(losses.values())) * shares_of(divisors, part.images.device) / count
        torch.autograd.backward(weighed.sum())
        for name, loss in zip(losses, weighed.detach(), strict=True):
            means[name] = means.get(name, 0) + loss
    return means


def losses_of(part: Batch, learner: Learner, solver: SolverConfig) -> dict[str, Tensor]:
    """TRAINING_DIVERGED in all processes where one meets it, as detectron2's models do: they go back together."""
    losses, fault = dict[str, Tensor](), None
    try:
        with autocast(solver.precision, part.images.device):
            losses = learner.losses(part.images, part.targets)
    except CasslError as error:
        if error.reason != "TRAINING_DIVERGED":
            raise
        fault = error
    if distributed.any_process(fault is not None):
        raise fault or training_diverged("Another process of the training met numbers that are not finite.")
    return losses


def shares_of(divisors: Sequence[int], device: torch.device) -> Tensor:
    """(L,) float32: what each loss of this process, divided by its divisor, counts in the loss of all, which is divided
    by the sum of theirs. With as many objects in each share these would all be equal; mostly they are not."""
    ours = torch.tensor(divisors, dtype=torch.float32)
    return (ours.clamp(min=1) / distributed.summed(ours).clamp(min=1)).to(device)


def diverged(iteration: int, loss: float, gradient_norm: float, learning_rate: float) -> CasslError:
    return training_diverged(
        f"At iteration {iteration} the loss is {loss:.4g} and the gradient's norm {gradient_norm:.4g}, "
        f"with learning rate {learning_rate:.4g}."
    )
