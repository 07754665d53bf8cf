"""The family `light`."""

import importlib.util
import subprocess
import sys
from collections.abc import Iterator

import pytest
import torch
from tiny import DETECTOR

from cassl.v1.task_pb2 import DetectorConfig

from cassl_worker.detectors import build_detector, families
from cassl_worker.detectors.interface import Detector, Target
from cassl_worker.detectors.light import LightDetector
from cassl_worker.errors import CasslError


def changed(**values: object) -> DetectorConfig:
    config = DetectorConfig()
    config.CopyFrom(DETECTOR)
    if (strides := values.pop("strides_px", None)) is not None:
        del config.strides_px[:]
        config.strides_px.extend(strides)  # type: ignore[arg-type]
    config.MergeFrom(DetectorConfig(**values))  # type: ignore[arg-type]
    return config


@pytest.fixture(scope="module")
def detector() -> Detector:
    torch.manual_seed(0)
    return build_detector(DETECTOR, 2)


def random_images(count: int, width: int = 64, height: int = 64) -> torch.Tensor:
    return torch.randint(0, 256, (count, height, width, 3), dtype=torch.uint8, generator=torch.manual_seed(1))


def no_objects() -> Target:
    return Target(torch.zeros(0, 4), torch.zeros(0, dtype=torch.int64))


def test_naming_the_families_loads_no_torch() -> None:
    code = "import sys; from cassl_worker.detectors import families; print(*families(), 'torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=worker_path())
    assert done.stdout.split() == [*families(), "False"]


def worker_path() -> dict[str, str]:
    spec = importlib.util.find_spec("cassl_worker")
    assert spec is not None and spec.submodule_search_locations is not None
    return {"PYTHONPATH": f"{next(iter(spec.submodule_search_locations))}/.."}


def test_unknown_family_is_an_error_that_names_the_known_ones() -> None:
    with pytest.raises(CasslError, match="heavy") as caught:
        build_detector(DetectorConfig(family="heavy"), 1)
    assert caught.value.reason == "CONFIG_INVALID" and "light" in caught.value.remedy


class TestDense:
    @pytest.mark.parametrize(
        ("strides", "locations"),
        [([8, 16, 32], 84), ([8], 64), ([16, 32, 64, 128], 22), ([8, 32, 128], 69), ([64], 1)],
    )
    def test_gives_a_box_and_scores_for_every_location(self, strides: list[int], locations: int) -> None:
        boxes, scores = build_detector(changed(strides_px=strides), 3).dense(random_images(2))
        assert boxes.shape == (2, locations, 4) and scores.shape == (2, locations, 3)

    @pytest.mark.parametrize("channels", [16, 48, 64])
    @pytest.mark.parametrize("convolutions", [0, 2])
    def test_builds_with_any_head(self, channels: int, convolutions: int) -> None:
        config = changed(fpn_channels=channels)
        config.head_convolutions = convolutions
        _, scores = build_detector(config, 1).dense(random_images(1))
        assert scores.shape == (1, 84, 1)

    def test_is_float32_with_scores_in_the_unit_range(self, detector: Detector) -> None:
        boxes, scores = detector.dense(random_images(2))
        assert boxes.dtype == scores.dtype == torch.float32
        assert (boxes[..., 2:] >= boxes[..., :2]).all() and ((scores >= 0) & (scores <= 1)).all()

    def test_an_image_does_not_depend_on_its_batch(self, detector: Detector) -> None:
        images = random_images(3)
        together, alone = detector.dense(images), detector.dense(images[1:2])
        for batch, single in zip(together, alone, strict=True):
            torch.testing.assert_close(batch[1:2], single, rtol=1e-4, atol=1e-5)


class TestLosses:
    def test_are_finite_and_have_gradients_with_and_without_objects(self, detector: Detector) -> None:
        objects = Target(torch.tensor([[8.0, 8, 40, 48]]), torch.tensor([1]))
        for targets in ([objects, no_objects()], [no_objects(), no_objects()]):
            losses = detector.losses(random_images(2), targets)
            detector.zero_grad()
            torch.stack(list(losses.values())).sum().backward()  # type: ignore[no-untyped-call]
            gradients = [parameter.grad for parameter in detector.parameters() if parameter.grad is not None]
            assert gradients and all(gradient.isfinite().all() for gradient in gradients)

    @pytest.mark.parametrize("side", [10, 16, 24, 40, 64, 90, 128, 190])
    def test_some_location_learns_an_object_of_any_size(self, side: int) -> None:
        config = changed(input_width_px=256, input_height_px=192)
        detector = build_detector(config, 1)
        corners = torch.tensor([[x, y, x + side, y + side] for x, y in self.corners(side)], dtype=torch.float32)
        for box in corners:
            target = Target(box[None], torch.zeros(1, dtype=torch.int64))
            losses = detector.losses(torch.zeros(1, 192, 256, 3, dtype=torch.uint8), [target])
            # Without a location that learns the box, nothing is added to this loss.
            assert losses["bbox_regression"] > 0

    def corners(self, side: int) -> Iterator[tuple[float, float]]:
        generator = torch.manual_seed(side)
        for _ in range(5):
            x, y = torch.rand(2, generator=generator).tolist()
            yield x * (256 - side), y * (192 - side)


def test_anchors_stand_at_the_centers_of_their_cells() -> None:
    detector = build_detector(changed(input_width_px=128), 1)
    assert isinstance(detector, LightDetector)
    anchors = detector.anchors
    centers = (anchors[:, :2] + anchors[:, 2:]) / 2
    assert centers[:2].tolist() == [[4, 4], [12, 4]] and centers[-1].tolist() == [112, 48]
    assert len(anchors) == sum(detector.locations_per_level) == 128 + 32 + 8
