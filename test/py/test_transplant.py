"""The hand-over from one class to many, and its ledger."""

import json
from collections import Counter
from dataclasses import replace

import pytest
import torch
from tiny import DETECTOR

from cassl_worker.checkpoint import Weights, state_of
from cassl_worker.detectors import build_detector
from cassl_worker.detectors.interface import Detector
from cassl_worker.errors import CasslError
from cassl_worker.transplant import Ledger, transplant


def fresh(class_count: int, seed: int = 0) -> Detector:
    torch.manual_seed(seed)
    return build_detector(DETECTOR, class_count)


def weights_of(detector: Detector, class_count: int) -> Weights:
    return Weights("light", class_count, {name: tensor.clone() for name, tensor in state_of(detector).items()})


def actions(ledger: Ledger) -> dict[str, set[str]]:
    names = {"copied": set[str](), "reinitialized": set[str](), "dropped": set[str]()}
    for entry in ledger.tensors:
        names[entry.action].add(entry.name)
    return names


def transplanted(given_classes: int, classes: int, reinitialize: str) -> tuple[Detector, Detector, Weights, Ledger]:
    """The detector, one that started alike and was left alone, the given weights and the ledger."""
    given = weights_of(fresh(given_classes, seed=1), given_classes)
    detector = fresh(classes)
    return detector, fresh(classes), given, transplant(detector, classes, given, "light", reinitialize)


class TestOneToMany:
    def test_copies_all_but_the_class_predictor(self) -> None:
        detector, untouched, given, ledger = transplanted(1, 3, "class_predictor")
        predictor = detector.names_in("class_predictor")
        for name, tensor in state_of(detector).items():
            source = state_of(untouched) if name in predictor else given.tensors
            assert torch.equal(tensor, source[name]), name
        assert actions(ledger)["reinitialized"] == actions(ledger)["dropped"] == predictor

    def test_can_start_the_classification_tower_afresh_too(self) -> None:
        detector, untouched, _, ledger = transplanted(1, 3, "classification_tower")
        afresh = detector.names_in("class_predictor") | detector.names_in("classification_tower")
        assert actions(ledger)["reinitialized"] == afresh
        assert all(torch.equal(state_of(detector)[name], state_of(untouched)[name]) for name in afresh)

    def test_ledger_accounts_for_every_tensor_of_both_sides_with_a_reason(self) -> None:
        detector, _, given, ledger = transplanted(1, 3, "class_predictor")
        ours = Counter(entry.name for entry in ledger.tensors if entry.action != "dropped")
        theirs = Counter(entry.name for entry in ledger.tensors if entry.action != "reinitialized")
        assert ours == Counter(state_of(detector).keys()) and theirs == Counter(given.tensors.keys())
        assert all(entry.reason for entry in ledger.tensors)

    def test_ledger_gives_shapes_and_the_share_of_copied_parameters(self) -> None:
        detector, _, _, ledger = transplanted(1, 3, "class_predictor")
        document = json.loads(json.dumps(ledger.as_json()))
        name = "model.head.classification_head.cls_logits.weight"
        shapes = {entry["action"]: entry["shape"] for entry in document["tensors"] if entry["name"] == name}
        assert shapes == {"reinitialized": [3, 16, 3, 3], "dropped": [1, 16, 3, 3]}
        total = sum(tensor.numel() for tensor in state_of(detector).values())
        assert document["parameters_copied_share"] == pytest.approx(1 - 3 * (16 * 9 + 1) / total)


class TestEqualClassCounts:
    def test_one_class_to_one_class_still_starts_the_predictor_afresh(self) -> None:
        detector, _, _, ledger = transplanted(1, 1, "class_predictor")
        assert actions(ledger)["reinitialized"] == detector.names_in("class_predictor")

    def test_many_classes_keep_their_predictor(self) -> None:
        detector, _, given, ledger = transplanted(3, 3, "class_predictor")
        assert actions(ledger)["copied"] == state_of(detector).keys() and ledger.parameters_copied_share == 1
        assert all(torch.equal(tensor, given.tensors[name]) for name, tensor in state_of(detector).items())

    def test_predictor_does_not_outlive_its_tower(self) -> None:
        detector, _, _, ledger = transplanted(3, 3, "classification_tower")
        assert detector.names_in("class_predictor") < actions(ledger)["reinitialized"]


class TestMismatch:
    NAME = "model.backbone.fpn.inner_blocks.0.0.weight"

    def refused(self, given: Weights) -> CasslError:
        with pytest.raises(CasslError) as caught:
            transplant(fresh(3), 3, given, "light", "class_predictor")
        assert caught.value.reason == "WEIGHTS_MISMATCH"
        return caught.value

    def test_tensor_that_only_the_weights_have_is_named(self) -> None:
        given = weights_of(fresh(1), 1)
        assert "`extra`" in self.refused(replace(given, tensors={**given.tensors, "extra": torch.zeros(1)})).message

    def test_tensor_that_only_the_detector_has_is_named(self) -> None:
        given = weights_of(fresh(1), 1)
        fewer = {name: tensor for name, tensor in given.tensors.items() if name != self.NAME}
        assert self.NAME in self.refused(replace(given, tensors=fewer)).message

    def test_tensor_of_another_shape_is_named_with_both_shapes(self) -> None:
        given = weights_of(fresh(1), 1)
        message = self.refused(replace(given, tensors={**given.tensors, self.NAME: torch.zeros(2, 2)})).message
        assert self.NAME in message and "[2, 2]" in message and "[16, 40, 1, 1]" in message

    def test_weights_of_another_family_are_refused(self) -> None:
        assert "`heavy`" in self.refused(replace(weights_of(fresh(1), 1), family="heavy")).message
