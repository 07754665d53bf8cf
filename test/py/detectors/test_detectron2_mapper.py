"""Training images by detectron2's own data mapper, compared with what the real library makes of the same files."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from detector_cases import FASTER, FOLDERS, MASK, SIDE_PX, SMALL, missing_backend
from ellipses import ellipse_dataset
from PIL import Image
from tiny import solver
from training import train

from cassl.v1.task_pb2 import AugmentationConfig, DetectorConfig, Detectron2Config, SolverConfig, TrainTask

from cassl_worker.batches import Batch
from cassl_worker.data import Dataset
from cassl_worker.detectors import build_detector
from cassl_worker.errors import CasslError
from cassl_worker.masks import decode as decode_mask
from cassl_worker.recipe import batch_maker
from cassl_worker.records import Checkpoint, Trained
from cassl_worker.sampling import batch_positions, change_seed

MISSING = missing_backend("detectron2")
pytestmark = [
    pytest.mark.skipif(MISSING is not None, reason=MISSING or ""),
    pytest.mark.usefixtures("one_thread"),
]
CPU = torch.device("cpu")
SIZES = ["INPUT.MIN_SIZE_TRAIN=(64,80,112)", "INPUT.MAX_SIZE_TRAIN=160"]
CROP = ["INPUT.CROP.ENABLED=True", "INPUT.CROP.TYPE='relative_range'", "INPUT.CROP.SIZE=[0.6,0.6]"]
RETINANET = "COCO-Detection/retinanet_R_50_FPN_1x.yaml"
FCOS = "COCO-Detection/fcos_R_50_FPN_1x.py"
FCOS_SIZES = ["dataloader.train.mapper.augmentations.0.short_edge_length=[64,96]", "model.head.conv_dims=[256]"]


def task_of(name: str, overrides: list[str], seed: int = 1, **settings: Any) -> TrainTask:
    """settings: of the solver."""
    detector = DetectorConfig(
        family="detectron2_segmenter" if "mask" in name else "detectron2",
        backbone_weights="none",
        input_width_px=SIDE_PX,
        input_height_px=SIDE_PX,
        proposals=20,
        detectron2=Detectron2Config(config=name, overrides=overrides),
    )
    mapped = solver(4, checkpoint_every=2)
    mapped.augmentation.CopyFrom(AugmentationConfig(detectron2_mapper=True))
    mapped.MergeFrom(SolverConfig(**settings))
    return TrainTask(detector=detector, solver=mapped, seed=seed)


def batch_of(task: TrainTask, dataset: Dataset, iteration: int = 0) -> Batch:
    return batch_maker(task, dataset, task.seed)(iteration)


@pytest.fixture(scope="module")
def ellipses(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return ellipse_dataset(tmp_path_factory.mktemp("ellipses"), (1, 2, 3, 2))


def expected(task: TrainTask, dataset: Dataset, iteration: int) -> list[dict[str, Any]]:
    """What detectron2 itself makes of the images of a batch, from the files, with COCO's boxes and bitmaps."""
    from detectron2.config import get_cfg
    from detectron2.data import DatasetMapper
    from detectron2.structures import BoxMode

    from cassl_worker.detectors.detectron2.configuration import find

    cfg = get_cfg()
    cfg.merge_from_file(str(find(task.detector.detectron2.config)))
    cfg.merge_from_list([part for override in task.detector.detectron2.overrides for part in override.split("=", 1)])
    cfg.INPUT.MASK_FORMAT = "bitmask"
    mapper, mapped = DatasetMapper(cfg, is_train=True), []
    count = task.solver.images_per_batch
    for slot, position in enumerate(batch_positions(task.seed, iteration, count, np.ones(len(dataset.images)))):
        record = dataset.images[position]
        annotations = [
            {
                "bbox": item.box_xywh,
                "bbox_mode": BoxMode.XYWH_ABS,
                "category_id": item.class_index,
                "iscrowd": int(item.iscrowd),
                "segmentation": {"size": [record.height_px, record.width_px], "counts": item.mask},
            }
            for item in record.annotations
        ]
        np.random.seed(change_seed(task.seed, iteration, slot))
        path = dataset.root / record.file_name
        size = {"width": record.width_px, "height": record.height_px}
        mapped.append(mapper({"file_name": str(path), **size, "annotations": annotations}))
    return mapped


@pytest.mark.parametrize("name", [FASTER, MASK])
@pytest.mark.parametrize("more", [[], CROP, ["INPUT.FORMAT=RGB", "INPUT.RANDOM_FLIP='vertical'"]])
def test_image_and_objects_are_what_detectron2_s_mapper_makes_of_the_file(
    name: str, more: list[str], ellipses: Dataset
) -> None:
    task = task_of(name, [*SMALL, *SIZES, *more], images_per_batch=4)
    batch, given = batch_of(task, ellipses, iteration=3), expected(task, ellipses, iteration=3)
    assert len({tuple(mapped["image"].shape) for mapped in given}) > 1
    for pixels, target, mapped in zip(batch.images, batch.targets, given, strict=True):
        height, width = mapped["image"].shape[1:]
        assert target.image_size == (width, height)
        shown = pixels[:height, :width].permute(2, 0, 1)
        assert torch.equal(shown if "INPUT.FORMAT=RGB" in more else shown.flip(0), mapped["image"])
        torch.testing.assert_close(target.boxes, mapped["instances"].gt_boxes.tensor, atol=1e-4, rtol=0)
        assert torch.equal(target.labels, mapped["instances"].gt_classes)
        assert (target.masks is None) == (name == FASTER)
        if target.masks is not None:
            assert torch.equal(target.masks, mapped["instances"].gt_masks.tensor) and target.masks.any()


@pytest.mark.parametrize("name", [FASTER, MASK, RETINANET])
def test_losses_are_those_of_detectron2_s_own_model_on_what_its_mapper_gives(name: str, ellipses: Dataset) -> None:
    from detectron2.utils.events import EventStorage

    task = task_of(name, [*SMALL, *SIZES], images_per_batch=4)
    torch.manual_seed(0)
    detector = build_detector(task.detector, 2)
    batch, given = batch_of(task, ellipses), expected(task, ellipses, iteration=0)
    torch.manual_seed(5)
    ours = detector.losses(batch.images, batch.targets)
    if name == RETINANET:
        detector.model.loss_normalizer = 100
    torch.manual_seed(5)
    with EventStorage(0):
        theirs = detector.model.train()(given)
    assert ours.keys() == theirs.keys()
    for loss, value in theirs.items():
        torch.testing.assert_close(ours[loss], value, rtol=1e-4, atol=1e-5, msg=loss)


def test_python_configuration_brings_its_own_mapper(ellipses: Dataset) -> None:
    task = task_of(FCOS, FCOS_SIZES, images_per_batch=4)
    batch = batch_of(task, ellipses)
    assert {target.image_size for target in batch.targets} == {(64, 64), (96, 96)}
    detector = build_detector(task.detector, 2)
    assert all(loss.isfinite() for loss in detector.losses(batch.images, batch.targets).values())


def test_batch_follows_from_seed_and_iteration_and_leaves_numpy_s_generator_alone(ellipses: Dataset) -> None:
    task = task_of(FASTER, [*SMALL, *SIZES], images_per_batch=4)
    np.random.seed(1)
    before = np.random.get_state(legacy=False)
    first, again = batch_of(task, ellipses, 7), batch_of(task, ellipses, 7)
    other = batch_of(task_of(FASTER, [*SMALL, *SIZES], seed=2, images_per_batch=4), ellipses, 7)
    np.testing.assert_equal(np.random.get_state(legacy=False), before)
    assert torch.equal(first.images, again.images)
    assert first.images.shape != other.images.shape or not torch.equal(first.images, other.images)
    assert all(side % 32 == 0 for side in first.images.shape[1:3])


@pytest.mark.parametrize("name", [MASK, RETINANET])
def test_resumed_training_equals_straight_training_bit_for_bit(name: str, ellipses: Dataset, tmp_path: Path) -> None:
    task = task_of(name, [*SMALL, *SIZES, *CROP], gradient_accumulation=2)

    straight = list(train(task, ellipses, device=CPU, scratch=tmp_path, init_from=None, resume_from=None))
    (checkpoint,) = (event for event in straight if isinstance(event, Checkpoint))
    (end,) = (event for event in straight if isinstance(event, Trained))
    whole = end.weights.read_bytes()
    np.random.seed(99)
    list(train(task, ellipses, device=CPU, scratch=tmp_path, init_from=None, resume_from=checkpoint.path))
    assert end.weights.read_bytes() == whole


def test_crowds_are_no_objects_and_images_without_any_are_background(ellipses: Dataset) -> None:
    one, two, *_ = ellipses.images
    crowded = replace(one, annotations=tuple(replace(item, iscrowd=True) for item in one.annotations))
    partly = replace(two, annotations=(replace(two.annotations[0], iscrowd=True), *two.annotations[1:]))
    dataset = replace(ellipses, images=(crowded, partly, replace(two, annotations=())))
    task = task_of(MASK, [*SMALL, *SIZES, *CROP], images_per_batch=3)
    batch = batch_of(task, dataset)
    order = batch_positions(task.seed, 0, 3, np.ones(3))
    assert [len(batch.targets[order.index(position)].labels) for position in range(3)] == [0, 1, 0]
    assert all(target.masks is not None for target in batch.targets)
    detector = build_detector(task.detector, 2)
    assert all(loss.isfinite() for loss in detector.losses(batch.images, batch.targets).values())


def test_exif_orientation_is_not_applied(ellipses: Dataset, tmp_path: Path) -> None:
    record, exif = ellipses.images[0], Image.Exif()
    exif[0x0112] = 3
    turned = tmp_path / record.file_name
    Image.open(ellipses.root / record.file_name).save(turned, exif=exif)
    task = task_of(FASTER, [*SMALL, *SIZES], images_per_batch=1)
    one = replace(ellipses, images=(record,))
    assert torch.equal(batch_of(task, replace(one, root=tmp_path)).images, batch_of(task, one).images)


def test_image_that_cannot_be_decoded_is_named(ellipses: Dataset, tmp_path: Path) -> None:
    (tmp_path / ellipses.images[0].file_name).write_bytes(b"no image")
    broken = replace(ellipses, images=ellipses.images[:1], root=tmp_path)
    with pytest.raises(CasslError, match=ellipses.images[0].file_name) as caught:
        batch_of(task_of(FASTER, [*SMALL, *SIZES]), broken)
    assert caught.value.reason == "IMAGE_INVALID"


class TestBadConfiguration:
    def refused(self, dataset: Dataset, name: str, overrides: list[str]) -> str:
        with pytest.raises(CasslError) as caught:
            batch_of(task_of(name, overrides), dataset)
        assert caught.value.reason == "CONFIG_INVALID"
        return caught.value.message

    def test_unknown_keys_are_named(self, ellipses: Dataset) -> None:
        assert "INPUT.MIN_SIZE_TRIAN" in self.refused(ellipses, FASTER, ["INPUT.MIN_SIZE_TRIAN=(64,)"])

    @pytest.mark.parametrize("override", ["INPUT.MIN_SIZE_TEST=64", "INPUT.MASK_FORMAT=polygon"])
    def test_keys_without_effect_are_refused(self, override: str, ellipses: Dataset) -> None:
        assert "no effect" in self.refused(ellipses, FASTER, [override])

    def test_keys_that_the_mapper_does_not_look_at_are_refused(self, ellipses: Dataset) -> None:
        override = "INPUT.CROP.SIZE=[0.5,0.5]"
        assert f"that is built looks at the override `{override}`" in self.refused(ellipses, FASTER, [override])

    def test_augmentation_that_fails_is_named_with_the_image(self, ellipses: Dataset) -> None:
        overrides = ["INPUT.CROP.ENABLED=True", "INPUT.CROP.TYPE='absolute'", "INPUT.CROP.SIZE=[0.5,-3]"]
        assert "fails on" in self.refused(ellipses, FASTER, [*SMALL, *overrides])

    def test_orders_of_colors_must_agree(self, ellipses: Dataset) -> None:
        name = "COCO-Detection/retinanet_R_50_FPN_1x.py"
        assert "BGR and RGB" in self.refused(ellipses, name, ["dataloader.train.mapper.image_format=RGB"])

    @pytest.mark.parametrize(
        ("lines", "fault"),
        [
            ("model.input_format = 'BGR'", "no DatasetMapper"),
            ("dataloader = zoo.dataloader\ndataloader.train.mapper.is_train = False", "no DatasetMapper"),
            (
                "dataloader = zoo.dataloader\n"
                "dataloader.train.mapper.update(use_instance_mask=True, recompute_boxes=True)",
                "takes boxes from masks",
            ),
        ],
    )
    def test_mapper_that_cannot_be_used_is_refused(
        self, lines: str, fault: str, ellipses: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from cassl_worker.detectors.detectron2.configuration import find

        (tmp_path / "mine.py").write_text(
            f"from detectron2.config import LazyConfig\nzoo = LazyConfig.load({str(find(FCOS))!r})\n"
            f"model = zoo.model\n{lines}\n"
        )
        monkeypatch.setenv(FOLDERS, str(tmp_path))
        assert fault in self.refused(ellipses, "mine.py", [])


def test_masks_follow_the_image(ellipses: Dataset) -> None:
    """Where nothing is changed, the masks are those of the annotations."""
    overrides = ["INPUT.MIN_SIZE_TRAIN=(96,)", "INPUT.RANDOM_FLIP='none'"]
    task = task_of(MASK, [*SMALL, *overrides], images_per_batch=1)
    (position,) = batch_positions(task.seed, 0, 1, np.ones(len(ellipses.images)))
    (target,) = batch_of(task, ellipses).targets
    record = ellipses.images[position]
    bitmaps = [decode_mask(str(item.mask).encode(), (96, 96)) for item in record.annotations]
    assert target.masks is not None and np.array_equal(target.masks.numpy(), np.array(bitmaps))
