"""The hand-over of weights to a detector that may have other classes, accounted for tensor by tensor."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Literal

from torch import Tensor

from cassl_worker.checkpoint import Weights, check_family, check_same_shape, copy_into, state_of
from cassl_worker.detectors.interface import Detector


@dataclass(frozen=True)
class LedgerEntry:
    """What became of one tensor.

    Attributes:
        action: `copied` into the detector, `reinitialized` in the detector, or `dropped` from the given weights.
        shape: of the detector's tensor; for `dropped`, of the given one.
    """

    name: str
    action: Literal["copied", "reinitialized", "dropped"]
    reason: str
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Ledger:
    """Accounts for every tensor of the detector and for every given one.

    Attributes:
        parameters_copied_share: share of the detector's numbers that were copied, 0..1.
    """

    tensors: tuple[LedgerEntry, ...]
    parameters_copied_share: float

    def as_json(self) -> dict[str, object]:
        return asdict(self)


def transplant(detector: Detector, class_count: int, given: Weights, family: str, reinitialize: str) -> Ledger:
    """Copies into a fresh detector what can be carried over; what cannot keeps its fresh values.

    reinitialize: see InitFrom.reinitialize. WEIGHTS_MISMATCH names a tensor whose fate nothing explains.
    """
    check_family(given, family)
    state = state_of(detector)
    reasons = reasons_to_reinitialize(detector, class_count, given.class_count, reinitialize)
    for name in sorted((state.keys() | given.tensors.keys()) - reasons.keys()):
        check_same_shape(name, state.get(name), given.tensors.get(name))
    copied = {name: tensor for name, tensor in given.tensors.items() if name not in reasons}
    copy_into(state, copied)
    share = sum(state[name].numel() for name in copied) / sum(tensor.numel() for tensor in state.values())
    return Ledger(tuple(entries(state, given, reasons)), share)


def reasons_to_reinitialize(
    detector: Detector, class_count: int, given_class_count: int, reinitialize: str
) -> dict[str, str]:
    """Why tensors of the detector are not taken from the given weights, by name."""
    predictor = detector.names_in("class_predictor")
    if reinitialize == "classification_tower":
        tower = detector.names_in("classification_tower")
        return dict.fromkeys(tower, "the classification tower is to start afresh") | dict.fromkeys(
            predictor, "it reads the classification tower, which starts afresh"
        )
    if class_count != given_class_count:
        return dict.fromkeys(
            predictor, f"it depends on the classes: {given_class_count} in the given weights, {class_count} here"
        )
    if class_count == 1:
        return dict.fromkeys(predictor, "it depends on the classes, and the only class may mean something else")
    return {}


def entries(state: dict[str, Tensor], given: Weights, reasons: dict[str, str]) -> Iterator[LedgerEntry]:
    for name, tensor in state.items():
        if name not in reasons:
            yield LedgerEntry(name, "copied", "same name and shape", tuple(tensor.shape))
            continue
        yield LedgerEntry(name, "reinitialized", reasons[name], tuple(tensor.shape))
        if name in given.tensors:
            shape = tuple(given.tensors[name].shape)
            yield LedgerEntry(name, "dropped", "the detector starts this tensor afresh", shape)
