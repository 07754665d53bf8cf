"""Schedule, freezing, parameter groups, clipping and the moving average."""

import itertools
import math

import pytest
import torch
from tiny import DETECTOR

from cassl.v1.task_pb2 import LearningRateFactors, SolverConfig

from cassl_worker.detectors import build_detector
from cassl_worker.detectors.interface import Detector
from cassl_worker.errors import CasslError
from cassl_worker.solver import (
    build_optimizer,
    clip_gradients,
    freeze_stages,
    learning_rate_at,
    pull,
    set_learning_rate,
    update_average,
)

FACTORS = LearningRateFactors(
    backbone=0.25, fpn=0.5, box_tower=1, classification_tower=2, class_predictor=3, mask_head=1
)


@pytest.fixture
def detector() -> Detector:
    return build_detector(DETECTOR, 2)


def trainable_stages(detector: Detector) -> list[bool]:
    """For the stem and each stage, whether all of its parameters learn; none may learn in part."""
    states = [
        {parameter.requires_grad for module in stage for parameter in module.parameters()}
        for stage in detector.backbone_stages()
    ]
    assert all(len(state) == 1 for state in states)
    return [state == {True} for state in states]


class TestSchedule:
    SOLVER = SolverConfig(iterations=100, learning_rate=0.1, lr_ramp_iterations=9)

    def test_rises_in_a_line_to_the_peak_and_falls_to_almost_zero(self) -> None:
        rates = [learning_rate_at(iteration, self.SOLVER) for iteration in range(100)]
        steps = [after - before for before, after in itertools.pairwise(rates[:10])]
        assert rates[0] == pytest.approx(0.01) and steps == pytest.approx([0.01] * 9)
        assert max(rates) == rates[9] == pytest.approx(0.1)
        assert rates[9:] == sorted(rates[9:], reverse=True) and 0 < rates[-1] < 1e-4

    @pytest.mark.parametrize(("reference", "peak"), [(0, 0.1), (8, 0.2), (32, 0.05)])
    def test_peak_grows_with_the_batch_where_a_reference_is_given(self, reference: int, peak: float) -> None:
        solver = SolverConfig(iterations=10, learning_rate=0.1, images_per_batch=16, lr_reference_batch=reference)
        assert learning_rate_at(0, solver) == pytest.approx(peak)

    def test_starts_at_the_peak_without_a_ramp(self) -> None:
        solver = SolverConfig(iterations=10, learning_rate=0.1, lr_ramp_iterations=0)
        assert learning_rate_at(0, solver) == pytest.approx(0.1)


class TestFreezing:
    @pytest.mark.parametrize(("frozen_stages", "frozen"), [(0, 0), (1, 2), (3, 4), (7, 8), (-1, 8)])
    def test_freezes_the_stem_with_the_first_stages(self, detector: Detector, frozen_stages: int, frozen: int) -> None:
        freeze_stages(detector, frozen_stages)
        assert trainable_stages(detector) == [False] * frozen + [True] * (8 - frozen)
        rest = {weight for name, weight in detector.named_parameters() if detector.part_of(name) != "backbone"}
        assert rest and all(parameter.requires_grad for parameter in rest)

    def test_more_stages_than_there_are_is_an_error(self, detector: Detector) -> None:
        with pytest.raises(CasslError, match="7 stages") as caught:
            freeze_stages(detector, 8)
        assert caught.value.reason == "CONFIG_INVALID"


class TestOptimizer:
    SOLVER = SolverConfig(iterations=10, learning_rate=0.1, weight_decay=0.05, lr_factors=FACTORS)

    def test_every_learning_parameter_is_in_one_group(self, detector: Detector) -> None:
        freeze_stages(detector, 2)
        optimizer = build_optimizer(detector, self.SOLVER)
        grouped = [parameter for group in optimizer.param_groups for parameter in group["params"]]
        learning = [parameter for parameter in detector.parameters() if parameter.requires_grad]
        assert len(grouped) == len(learning) and set(grouped) == set(learning)

    def test_each_part_has_its_own_rate_and_vectors_do_not_decay(self, detector: Detector) -> None:
        optimizer = build_optimizer(detector, self.SOLVER)
        set_learning_rate(optimizer, 0.04)
        parts = {weight: detector.part_of(name) for name, weight in detector.named_parameters()}
        for group in optimizer.param_groups:
            (part,) = {parts[weight] for weight in group["params"]}
            assert group["lr"] == pytest.approx(0.04 * getattr(FACTORS, part))
            assert all((weight.ndim > 1) == (group["weight_decay"] > 0) for weight in group["params"])

    def test_frozen_backbone_leaves_no_empty_group(self, detector: Detector) -> None:
        freeze_stages(detector, -1)
        assert all(group["params"] for group in build_optimizer(detector, self.SOLVER).param_groups)


class TestClipping:
    def gradients(self) -> list[torch.Tensor]:
        parameters = [torch.zeros(2, requires_grad=True), torch.zeros(1, requires_grad=True)]
        parameters[0].grad, parameters[1].grad = torch.tensor([3.0, 0.0]), torch.tensor([4.0])
        return parameters

    @pytest.mark.parametrize(("max_norm", "expected"), [(1.0, 1.0), (10.0, 5.0), (0.0, 5.0)])
    def test_limits_the_common_norm_and_zero_means_no_limit(self, max_norm: float, expected: float) -> None:
        parameters = self.gradients()
        assert clip_gradients(parameters, max_norm).item() == pytest.approx(5.0)
        norms = [float(parameter.grad.norm()) for parameter in parameters if parameter.grad is not None]
        assert math.hypot(*norms) == pytest.approx(expected, rel=1e-4)


class TestPull:
    @pytest.mark.parametrize(("share", "left"), [(0.0, 8.0), (0.25, 6.0), (1.0, 0.0), (3.0, 0.0)])
    def test_covers_a_share_of_the_distance_and_never_goes_beyond(self, share: float, left: float) -> None:
        weights, goals = [torch.full((2,), 10.0)], [torch.full((2,), 2.0)]
        pull(weights, goals, share)
        assert (weights[0] - goals[0]).tolist() == [left] * 2


class TestAverage:
    def test_forgets_the_start_quickly_and_then_decays_as_asked(self) -> None:
        average, weights = [torch.zeros(1)], [torch.ones(1)]
        update_average(average, weights, 0, 0.9)
        assert average[0].item() == pytest.approx(0.9)
        average = [torch.zeros(1)]
        update_average(average, weights, 1000, 0.9)
        assert average[0].item() == pytest.approx(0.1)

    def test_without_decay_is_the_weights_themselves(self) -> None:
        average, weights = [torch.rand(100)], [torch.rand(100)]
        update_average(average, weights, 1000, 0.0)
        assert torch.equal(average[0], weights[0])
