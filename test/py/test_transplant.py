"""The hand-over from one class to many, and its ledger."""

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import get_args

import pytest
import torch
from detector_cases import cases
from tiny import CARRIED, DETECTOR

from cassl.v1.task_pb2 import DetectorConfig, InitFrom

from cassl_worker.checkpoint import Weights, state_of
from cassl_worker.detectors import build_detector, without_masks
from cassl_worker.detectors.interface import Detector
from cassl_worker.errors import CasslError
from cassl_worker.transplant import Action, Ledger, transplant

FAMILIES = [case.name for case in cases() if case.missing is None]
WITHOUT_TOWER = ["backbone", "fpn", "box_tower"]


def fresh(class_count: int, seed: int = 0) -> Detector:
    torch.manual_seed(seed)
    return build_detector(DETECTOR, class_count)


def weights_of(detector: Detector, class_count: int) -> Weights:
    return Weights("light", class_count, {name: tensor.clone() for name, tensor in state_of(detector).items()})


def actions(ledger: Ledger) -> dict[str, set[str]]:
    names = {action: set[str]() for action in get_args(Action)}
    for entry in ledger.tensors:
        names[entry.action].add(entry.name)
    return names


def transplanted(
    given_classes: int, classes: int, carry: Sequence[str] = CARRIED, class_predictor: str = "reinitialize"
) -> tuple[Detector, Detector, Weights, Ledger]:
    """The detector, one that started alike and was left alone, the given weights and the ledger."""
    given = weights_of(fresh(given_classes, seed=1), given_classes)
    detector = fresh(classes)
    init = InitFrom(carry=carry, class_predictor=class_predictor)
    return detector, fresh(classes), given, transplant(detector, classes, given, "light", init)


class TestOneToMany:
    def test_copies_all_but_the_class_predictor(self) -> None:
        detector, untouched, given, ledger = transplanted(1, 3)
        predictor = detector.names_in("class_predictor")
        for name, tensor in state_of(detector).items():
            source = state_of(untouched) if name in predictor else given.tensors
            assert torch.equal(tensor, source[name]), name
        assert actions(ledger)["reinitialized"] == actions(ledger)["dropped"] == predictor

    def test_can_start_the_classification_tower_afresh_too(self) -> None:
        detector, untouched, _, ledger = transplanted(1, 3, WITHOUT_TOWER)
        afresh = detector.names_in("class_predictor") | detector.names_in("classification_tower")
        assert actions(ledger)["reinitialized"] == afresh
        assert all(torch.equal(state_of(detector)[name], state_of(untouched)[name]) for name in afresh)

    def test_ledger_accounts_for_every_tensor_of_both_sides_with_a_reason(self) -> None:
        detector, _, given, ledger = transplanted(1, 3)
        ours = Counter(entry.name for entry in ledger.tensors if entry.action != "dropped")
        theirs = Counter(entry.name for entry in ledger.tensors if entry.action != "reinitialized")
        assert ours == Counter(state_of(detector).keys()) and theirs == Counter(given.tensors.keys())
        assert all(entry.reason for entry in ledger.tensors)

    def test_ledger_gives_shapes_and_the_share_of_copied_parameters(self) -> None:
        detector, _, _, ledger = transplanted(1, 3)
        document = json.loads(json.dumps(ledger.as_json()))
        name = "model.head.classification_head.cls_logits.weight"
        shapes = {entry["action"]: entry["shape"] for entry in document["tensors"] if entry["name"] == name}
        assert shapes == {"reinitialized": [3, 16, 3, 3], "dropped": [1, 16, 3, 3]}
        total = sum(tensor.numel() for tensor in state_of(detector).values())
        assert document["parameters_copied_share"] == pytest.approx(1 - 3 * (16 * 9 + 1) / total)


class TestEqualClassCounts:
    def test_one_class_to_one_class_still_starts_the_predictor_afresh(self) -> None:
        detector, _, _, ledger = transplanted(1, 1)
        assert actions(ledger)["reinitialized"] == detector.names_in("class_predictor")

    def test_many_classes_keep_their_predictor(self) -> None:
        detector, _, given, ledger = transplanted(3, 3)
        assert actions(ledger)["copied"] == state_of(detector).keys() and ledger.parameters_copied_share == 1
        assert all(torch.equal(tensor, given.tensors[name]) for name, tensor in state_of(detector).items())

    def test_predictor_does_not_outlive_its_tower(self) -> None:
        detector, _, _, ledger = transplanted(3, 3, WITHOUT_TOWER)
        assert detector.names_in("class_predictor") < actions(ledger)["reinitialized"]


class TestMismatch:
    NAME = "model.backbone.fpn.inner_blocks.0.0.weight"

    def refused(self, given: Weights) -> CasslError:
        with pytest.raises(CasslError) as caught:
            transplant(fresh(3), 3, given, "light", InitFrom(carry=CARRIED))
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


class TestPolicy:
    @pytest.mark.parametrize("left_out", [part for part in CARRIED if part != "mask_head"])
    def test_a_part_that_is_not_carried_keeps_its_starting_weights(self, left_out: str) -> None:
        detector, untouched, given, ledger = transplanted(2, 2, [part for part in CARRIED if part != left_out])
        afresh = {name for name in state_of(detector) if detector.part_of(name) == left_out}
        if left_out == "classification_tower":
            afresh |= detector.names_in("class_predictor")
        assert actions(ledger)["reinitialized"] == afresh
        for name, tensor in state_of(detector).items():
            assert torch.equal(tensor, (state_of(untouched) if name in afresh else given.tensors)[name]), name
        shares = ledger.copied_share_by_part
        assert next(part for part, share in shares.items() if share == 0) == left_out and max(shares.values()) == 1

    def test_expanding_starts_every_class_as_the_only_one_was(self) -> None:
        detector, _, given, ledger = transplanted(1, 3, class_predictor="expand")
        predictor = detector.names_in("class_predictor")
        assert actions(ledger)["expanded"] == predictor and not actions(ledger)["reinitialized"]
        for name in predictor:
            assert torch.equal(
                state_of(detector)[name], given.tensors[name].repeat(3, *[1] * (given.tensors[name].ndim - 1))
            )
        assert ledger.parameters_copied_share == 1

    def test_expanding_copies_where_the_classes_are_the_same(self) -> None:
        _, _, _, ledger = transplanted(3, 3, class_predictor="expand")
        assert not actions(ledger)["expanded"] and not actions(ledger)["reinitialized"]


class TestOtherFamily:
    """Backbone and pyramid go from any family to any other; test_segmenters.py has those with the same heads."""

    STRIDES = (8, 16, 32, 64)

    def built(self, family: str, class_count: int, seed: int = 0) -> Detector:
        config = DetectorConfig()
        config.CopyFrom(DETECTOR)
        config.family = family
        del config.strides_px[:]
        config.strides_px.extend(self.STRIDES)
        torch.manual_seed(seed)
        return build_detector(config, class_count)

    def given(self, family: str) -> Weights:
        tensors = {name: tensor.clone() for name, tensor in state_of(self.built(family, 1, seed=1)).items()}
        return Weights(family, 1, tensors)

    @pytest.mark.parametrize("source", FAMILIES)
    @pytest.mark.parametrize("target", FAMILIES)
    def test_ledger_accounts_for_every_tensor(self, source: str, target: str) -> None:
        given, detector = self.given(source), self.built(target, 3)
        ledger = transplant(detector, 3, given, target, InitFrom(carry=CARRIED))
        ours = Counter(entry.name for entry in ledger.tensors if entry.action != "dropped")
        theirs = Counter(entry.name for entry in ledger.tensors if entry.action != "reinitialized")
        assert ours == Counter(state_of(detector).keys()) and theirs == Counter(given.tensors.keys())
        assert all(entry.reason for entry in ledger.tensors)
        shared = [name for name in state_of(detector) if detector.part_of(name) in ("backbone", "fpn")]
        kept = {name for name in shared if name in given.tensors}
        assert all(torch.equal(state_of(detector)[name], given.tensors[name]) for name in kept)
        if without_masks(source) != without_masks(target):
            assert actions(ledger)["copied"] == kept and ledger.copied_share_by_part["box_tower"] == 0

    def test_levels_that_only_one_family_makes_with_weights_are_explained(self) -> None:
        detector = self.built("faster_rcnn", 3)
        ledger = transplant(detector, 3, self.given("fcos"), "faster_rcnn", InitFrom(carry=CARRIED))
        (weight, bias) = (entry for entry in ledger.tensors if ".extra_blocks." in entry.name)
        assert {weight.action, bias.action} == {"dropped"} and "faster_rcnn makes this level" in weight.reason

    def test_a_missing_tensor_of_the_pyramid_is_still_an_error(self) -> None:
        given = self.given("fcos")
        fewer = {name: tensor for name, tensor in given.tensors.items() if name != TestMismatch.NAME}
        with pytest.raises(CasslError, match=re.escape(TestMismatch.NAME)) as caught:
            transplant(
                self.built("retinanet", 3), 3, replace(given, tensors=fewer), "retinanet", InitFrom(carry=CARRIED)
            )
        assert caught.value.reason == "WEIGHTS_MISMATCH"
