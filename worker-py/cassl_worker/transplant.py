"""The hand-over of weights to a detector that may have other classes or be of another family, tensor by tensor."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Literal

import torch
from torch import Tensor

from cassl.v1.task_pb2 import InitFrom

from cassl_worker.checkpoint import Weights, check_same_shape, mismatch, state_of
from cassl_worker.detectors import gives_masks, without_masks
from cassl_worker.detectors.interface import SHARED_PREFIXES, Detector, Part
from cassl_worker.detectors.resnet_form import COARSER_LEVELS

Action = Literal["copied", "expanded", "reinitialized", "dropped"]
UNUSED = "the detector has no tensor like it"
MASK_HEADS = ("model.head.mask_head.", "model.roi_heads.mask_head.", "model.roi_heads.mask_predictor.")
"""What a family has more than the one without masks."""


@dataclass(frozen=True)
class LedgerEntry:
    """What became of one tensor.

    Attributes:
        action: `copied` into the detector, `expanded` from one class to all, `reinitialized` (the detector keeps the
            values that it was built with), or `dropped` from the given weights.
        part: of the detector; `other` for a tensor of the heads that only another family has.
        shape: of the detector's tensor; for `dropped`, of the given one.
    """

    name: str
    action: Action
    part: Part | Literal["other"]
    reason: str
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Ledger:
    """Accounts for every tensor of the detector and for every given one.

    Attributes:
        parameters_copied_share: share of the detector's numbers that come from the given weights, 0..1.
        copied_share_by_part: the same within each part.
    """

    tensors: tuple[LedgerEntry, ...]
    parameters_copied_share: float
    copied_share_by_part: Mapping[Part, float]

    def as_json(self) -> dict[str, object]:
        return asdict(self)


@dataclass(frozen=True)
class HandOver:
    """A hand-over: what is given, to whom, and what is to be carried."""

    detector: Detector
    family: str
    class_count: int
    given: Weights
    init: InitFrom

    @property
    def other_family(self) -> bool:
        """Whether the heads are others; a mask head more or less does not matter."""
        return without_masks(self.given.family) != without_masks(self.family)

    def reason_for_afresh(self, name: str) -> str | None:
        """Why the detector does not take this tensor of its own from the given weights; None if it does."""
        part = self.detector.part_of(name)
        if name in self.given.absent:
            return self.given.absent[name]
        if self.other_family and part not in SHARED_PREFIXES:
            return f"the weights are of the family {self.given.family}, whose heads are others"
        if part == "mask_head" and not gives_masks(self.given.family):
            return f"the weights are of the family {self.given.family}, which gives no masks"
        if part == "class_predictor":
            return self.reason_for_fresh_predictor()
        if part not in self.init.carry:
            return f"the policy carries no {part}"
        if self.other_family and name.startswith(COARSER_LEVELS) and name not in self.given.tensors:
            return f"the family {self.given.family} makes this level in another way"
        return None

    def reason_for_fresh_predictor(self) -> str | None:
        if "classification_tower" not in self.init.carry:
            return "it reads the classification tower, which starts afresh"
        if self.class_count != self.given.class_count and not self.expands:
            return f"it depends on the classes: {self.given.class_count} in the weights, {self.class_count} here"
        if self.class_count == 1:
            return "it depends on the classes, and the only class may mean something else"
        return None

    @property
    def expands(self) -> bool:
        return self.init.class_predictor == "expand" and self.given.class_count == 1 and self.class_count > 1

    def reason_for_dropping(self, name: str) -> str | None:
        """Why a given tensor that the detector has no place for may be left out; None if nothing explains it."""
        if name.startswith(MASK_HEADS) and not gives_masks(self.family):
            return f"the family {self.family} gives no masks"
        if not self.other_family:
            return None
        if name.startswith(COARSER_LEVELS):
            return f"the family {self.family} makes this level in another way"
        if not name.startswith(tuple(prefix for prefixes in SHARED_PREFIXES.values() for prefix in prefixes)):
            return f"it belongs to the heads of the family {self.given.family}"
        return None


def transplant(detector: Detector, class_count: int, given: Weights, family: str, init: InitFrom) -> Ledger:
    """Takes into a fresh detector what can be carried over; what cannot keeps its fresh values.

    WEIGHTS_MISMATCH names a tensor whose fate nothing explains.
    """
    given = replace(given, tensors=detector.adapted(given.tensors, given.form))
    hand_over, state = HandOver(detector, family, class_count, given, init), state_of(detector)
    entries = [entry for name, tensor in state.items() for entry in fill(hand_over, name, tensor)]
    entries += [leave(hand_over, name) for name in given.tensors if name not in state]
    entries += [LedgerEntry(name, "dropped", "other", UNUSED, shape) for name, shape in given.unused.items()]
    return Ledger(
        tuple(entries),
        copied_share(entries),
        {part: copied_share([entry for entry in entries if entry.part == part]) for part, _ in detector.prefixes()},
    )


@torch.no_grad()
def fill(hand_over: HandOver, name: str, tensor: Tensor) -> Iterator[LedgerEntry]:
    """Decides on a tensor of the detector, and on the given one of the same name."""
    part, source = hand_over.detector.part_of(name), hand_over.given.tensors.get(name)
    reason = hand_over.reason_for_afresh(name)
    if reason is not None:
        start = "the starting weights of the backbone" if part == "backbone" else "random values of its family"
        yield LedgerEntry(name, "reinitialized", part, f"{reason}; it has {start}", tuple(tensor.shape))
        if source is not None:
            dropped = "the detector starts this tensor afresh"
            yield LedgerEntry(name, "dropped", part, dropped, tuple(source.shape))
        return
    action: Action = "copied"
    if source is not None and part == "class_predictor" and hand_over.expands:
        source, action = hand_over.detector.expanded(name, source, hand_over.class_count), "expanded"
    check_same_shape(name, tensor, source)
    assert source is not None
    tensor.copy_(source)
    why = "same name and shape" if action == "copied" else "every class starts as the only one was"
    yield LedgerEntry(name, action, part, why, tuple(tensor.shape))


def leave(hand_over: HandOver, name: str) -> LedgerEntry:
    """Decides on a given tensor that the detector has no place for."""
    tensor, reason = hand_over.given.tensors[name], hand_over.reason_for_dropping(name)
    if reason is None:
        raise mismatch(f"`{name}` is missing in the detector")
    part: Part | Literal["other"] = "fpn" if name.startswith(COARSER_LEVELS) else "other"
    return LedgerEntry(name, "dropped", part, reason, tuple(tensor.shape))


def copied_share(entries: list[LedgerEntry]) -> float:
    """Of the numbers in the detector's tensors, 0..1; 0 where there are none."""
    sizes = {entry.name: size_of(entry) for entry in entries if entry.action != "dropped"}
    copied = [entry.name for entry in entries if entry.action in ("copied", "expanded")]
    return sum(sizes[name] for name in copied) / max(1, sum(sizes.values()))


def size_of(entry: LedgerEntry) -> int:
    return torch.Size(entry.shape).numel()
