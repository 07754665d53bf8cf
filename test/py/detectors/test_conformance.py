"""What every detector must do, of whatever family and backend. A new family is tested by being registered."""

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from detector_cases import SIDE_PX, Case, cases, configured_cases
from rectangles import rectangle_dataset
from safetensors.torch import load_file
from tiny import CARRIED, lr_factors, solver
from torchvision.ops import box_iou
from training import train

from cassl.v1.task_pb2 import DetectorConfig, InitFrom, PredictConfig, SolverConfig, TrainTask

from cassl_worker.checkpoint import Weights, load_detector, state_of
from cassl_worker.data import Dataset, boxes_xyxy
from cassl_worker.detections import Detections
from cassl_worker.detectors import build_detector
from cassl_worker.detectors.interface import Detector, Target
from cassl_worker.export import to_onnx
from cassl_worker.images import decode, letterbox
from cassl_worker.predict import detect
from cassl_worker.records import Checkpoint, Trained
from cassl_worker.transplant import transplant

CPU = torch.device("cpu")
pytestmark = pytest.mark.usefixtures("one_thread")
PREDICT = PredictConfig(score_threshold=0.0, nms_iou=0.6, max_candidates=200, max_detections=20)
ONE, MANY = 1, 80


def build(case: Case, class_count: int, seed: int = 0) -> Detector:
    torch.manual_seed(seed)
    return build_detector(case.config, class_count)


def random_images(count: int, seed: int = 1) -> torch.Tensor:
    shape = (count, SIDE_PX, SIDE_PX, 3)
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=torch.manual_seed(seed))


def target_of(boxes: torch.Tensor, labels: torch.Tensor) -> Target:
    """With masks that fill the boxes, given as whole px; families without masks do not look at them."""
    masks = torch.zeros(len(boxes), SIDE_PX, SIDE_PX, dtype=torch.bool)
    for mask, (left, top, right, bottom) in zip(masks, boxes.int().tolist(), strict=True):
        mask[top:bottom, left:right] = True
    return Target(boxes, labels, masks)


def no_objects() -> Target:
    return target_of(torch.zeros(0, 4), torch.zeros(0, dtype=torch.int64))


@pytest.fixture(scope="module", params=[*cases(), *configured_cases()], ids=lambda case: case.name)
def case(request: pytest.FixtureRequest) -> Case:
    case: Case = request.param
    if case.missing is not None:
        pytest.skip(case.missing)
    return case


@pytest.mark.parametrize("class_count", [ONE, MANY])
def test_dense_gives_a_box_and_scores_in_the_unit_range_for_every_candidate(case: Case, class_count: int) -> None:
    with torch.inference_mode():
        boxes, scores, *_ = build(case, class_count).dense(random_images(3))
    assert boxes.dtype == scores.dtype == torch.float32
    assert boxes.shape == (3, scores.shape[1], 4) and scores.shape == (3, boxes.shape[1], class_count)
    assert (boxes[..., 2:] >= boxes[..., :2]).all() and ((scores >= 0) & (scores <= 1)).all()


@pytest.mark.parametrize("class_count", [ONE, MANY])
def test_losses_are_finite_and_reach_every_weight_with_and_without_objects(case: Case, class_count: int) -> None:
    detector = build(case, class_count)
    # Of the sizes that the levels 8 to 64 are made for.
    boxes = torch.tensor([[8.0, 8, 24, 28], [8, 8, 40, 48], [10, 10, 70, 70], [0, 0, 96, 96]])
    objects = target_of(boxes, torch.full((4,), class_count - 1))
    for targets in ([no_objects(), no_objects()], [objects, no_objects()]):
        detector.zero_grad()
        losses = detector.losses(random_images(2), targets)
        assert all(loss.ndim == 0 and loss.isfinite() for loss in losses.values())
        torch.stack(list(losses.values())).sum().backward()  # type: ignore[no-untyped-call]
        assert all(weight.grad is None or weight.grad.isfinite().all() for weight in detector.parameters())
    assert all(weight.grad is not None for weight in detector.parameters())


def test_detections_are_sorted_and_inside_images_of_any_size(case: Case) -> None:
    sizes = [(400, 30), (1, 50), (96, 96), (37, 91)]
    inputs = random_images(4)
    inputs[2] = 0
    found = detect(build(case, 3), inputs, sizes, PREDICT)
    assert sum(len(detections.scores) for detections in found) > 0
    for detections, size in zip(found, sizes, strict=True):
        boxes = detections.boxes
        assert (boxes[:, :2] >= 0).all() and (boxes[:, 2:] > boxes[:, :2]).all()
        assert (boxes[:, 2:] <= np.array(size)).all()
        assert (np.diff(detections.scores) <= 0).all()
        assert set(detections.classes) <= {0, 1, 2}


def test_detections_are_in_pixels_of_the_original_image(case: Case) -> None:
    detector, image = build(case, 3), random_images(1)
    (small,), (large,) = (detect(detector, image, [size], PREDICT) for size in ((48, 48), (480, 480)))
    np.testing.assert_allclose(10 * small.boxes, large.boxes, rtol=1e-5)
    np.testing.assert_array_equal(small.scores, large.scores)


def test_an_image_does_not_depend_on_its_batch(case: Case) -> None:
    detector = build(case, 2)
    with torch.inference_mode():
        together, alone = detector.dense(random_images(3)), detector.dense(random_images(3)[1:2])
    for batch, single in zip(together, alone, strict=True):
        torch.testing.assert_close(batch[1:2], single, rtol=1e-4, atol=1e-3)


def test_inputs_of_another_size_give_what_a_detector_built_for_them_gives(case: Case) -> None:
    detector, wide = build(case, 2), DetectorConfig()
    if not detector.takes_any_size:
        pytest.skip("it takes inputs of one size only")
    wide.CopyFrom(case.config)
    wide.input_width_px = 2 * case.config.input_width_px
    size = (wide.input_width_px, wide.input_height_px)
    built = build_detector(wide, 2)
    built.load_state_dict(detector.state_dict())
    images = torch.randint(0, 256, (1, size[1], size[0], 3), dtype=torch.uint8, generator=torch.manual_seed(1))
    detector.fit_to(size)
    with torch.inference_mode():
        for ours, expected in zip(detector.dense(images), built.dense(images), strict=True):
            assert torch.equal(ours, expected)


def test_every_tensor_is_in_one_part_and_the_class_predictor_is_what_changes_with_the_classes(case: Case) -> None:
    detector, ours, others = build(case, 2), state_of(build(case, 2)), state_of(build(case, 5))
    for name in ours:
        assert sum(name.startswith(prefixes) for _, prefixes in detector.prefixes()) == 1, name
    assert all(detector.names_in(part) for part, _ in detector.prefixes())
    assert ours.keys() == others.keys()
    differing = {name for name in ours if ours[name].shape != others[name].shape}
    assert detector.names_in("class_predictor") == differing


def test_ledger_of_one_class_to_many_accounts_for_every_tensor(case: Case) -> None:
    given = Weights(case.name, 1, {name: tensor.clone() for name, tensor in state_of(build(case, 1, seed=1)).items()})
    detector = build(case, 3)
    ledger = transplant(detector, 3, given, case.name, InitFrom(carry=CARRIED))
    actions = {entry.name: entry.action for entry in ledger.tensors if entry.action != "dropped"}
    assert actions.keys() == state_of(detector).keys()
    afresh = {name for name, action in actions.items() if action == "reinitialized"}
    assert afresh == detector.names_in("class_predictor")


def test_expanded_predictor_scores_every_class_as_the_one_before(case: Case) -> None:
    one, many = build(case, 1, seed=1), build(case, 3, seed=2)
    source, target = state_of(one), state_of(many)
    with torch.inference_mode():
        for name, tensor in target.items():
            tensor.copy_(
                many.expanded(name, source[name], 3) if name in many.names_in("class_predictor") else source[name]
            )
        boxes, scores, *_ = one.dense(random_images(1))
        same_boxes, expanded, *_ = many.dense(random_images(1))
    torch.testing.assert_close(same_boxes, boxes)
    share = expanded.sum(dim=-1, keepdim=True) if case.has_background else expanded
    torch.testing.assert_close(share, scores.expand(share.shape), rtol=1e-4, atol=1e-5)


def test_exported_model_equals_the_detector_at_any_batch_size(case: Case) -> None:
    detector = build(case, 2)
    session = onnxruntime.InferenceSession(to_onnx(detector, SIDE_PX, SIDE_PX).SerializeToString())
    for images in (random_images(1), random_images(3), torch.zeros_like(random_images(1))):
        with torch.inference_mode():
            expected = detector.dense(images)
        exported = session.run(list(detector.output_names), {"images": images.numpy()})
        assert [output.shape for output in exported] == [tuple(output.shape) for output in expected]
        for image in range(len(images)):
            ours = rows_of([output[image] for output in expected])
            theirs = rows_of([torch.from_numpy(output[image]) for output in exported])
            # Proposals that score the same may come in another order.
            distances = torch.cdist(ours, theirs, p=torch.inf, compute_mode="donot_use_mm_for_euclid_dist")
            assert distances.min(dim=0).values.max() < 1e-2 and distances.min(dim=1).values.max() < 1e-2


def rows_of(outputs: list[torch.Tensor]) -> torch.Tensor:
    """All that the dense output of an image says of a candidate, a row each."""
    boxes, scores, *masks = outputs
    of_candidates = [output.flatten(1) for output in masks if len(output) == len(boxes)]
    return torch.cat([boxes, 100 * scores, *of_candidates], dim=1)


def test_resumed_training_equals_straight_training_bit_for_bit(case: Case, rectangles: Dataset, tmp_path: Path) -> None:
    task = TrainTask(detector=case.config, solver=solver(4, checkpoint_every=2), seed=1)
    straight = list(train(task, rectangles, device=CPU, scratch=tmp_path, init_from=None, resume_from=None))
    (checkpoint,) = (event for event in straight if isinstance(event, Checkpoint))
    (end,) = (event for event in straight if isinstance(event, Trained))
    expected = end.weights.read_bytes()
    torch.manual_seed(99)
    list(train(task, rectangles, device=CPU, scratch=tmp_path, init_from=None, resume_from=checkpoint.path))
    assert end.weights.read_bytes() == expected


def test_images_without_any_object_train_to_finite_weights(case: Case, tmp_path: Path) -> None:
    task = TrainTask(detector=case.config, solver=solver(3), seed=1)
    dataset = rectangle_dataset(tmp_path, [0, 0])
    *_, end = train(task, dataset, device=CPU, scratch=tmp_path, init_from=None, resume_from=None)
    assert isinstance(end, Trained)
    assert all(tensor.isfinite().all() for tensor in load_file(end.weights).values())


def test_four_images_are_learned_by_heart(case: Case, tmp_path: Path) -> None:
    dataset = rectangle_dataset(tmp_path, [1, 2, 1, 0])
    task = TrainTask(detector=case.pretrained(), solver=quick_solver(), seed=0)
    *_, end = train(task, dataset, device=CPU, scratch=tmp_path, init_from=None, resume_from=None)
    assert isinstance(end, Trained)
    detector = load_detector(task.detector, 2, end.weights)
    for record in dataset.images:
        inputs = torch.from_numpy(letterbox(decode(record, dataset.root), (SIDE_PX, SIDE_PX)))
        predict = PredictConfig(score_threshold=0.3, nms_iou=0.5, max_candidates=100, max_detections=5)
        (found,) = detect(detector, inputs[None], [(record.width_px, record.height_px)], predict)
        for annotation, box in zip(record.annotations, boxes_xyxy(record.annotations), strict=True):
            assert best_iou(found, annotation.class_index, box) > 0.5
        assert record.annotations or len(found.scores) == 0


def quick_solver() -> SolverConfig:
    settings = solver(60)
    settings.MergeFrom(SolverConfig(images_per_batch=4, learning_rate=0.005, lr_ramp_iterations=5))
    settings.MergeFrom(SolverConfig(gradient_clip_norm=10, lr_factors=lr_factors(backbone=0.25)))
    settings.augmentation.Clear()
    settings.augmentation.min_zoom = settings.augmentation.max_zoom = 1
    return settings


def best_iou(found: Detections, class_index: int, box: np.ndarray) -> float:
    boxes = torch.from_numpy(found.boxes[found.classes == class_index])
    return float(box_iou(boxes, torch.from_numpy(box)[None]).max()) if len(boxes) > 0 else 0.0
