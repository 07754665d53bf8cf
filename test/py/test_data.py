"""Dataset manifests, decoding, letterboxing, augmentation and batches."""

import json
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from rectangles import CATEGORIES, COLORS, SIZE, rectangle_dataset

from cassl.v1.task_pb2 import AugmentationConfig, SolverConfig

from cassl_worker.augmentation import draw_view, jitter_color, visible_boxes
from cassl_worker.batches import TrainingBatches
from cassl_worker.data import (
    Annotation,
    Dataset,
    ImageRecord,
    Labels,
    boxes_xyxy,
    check_masks,
    read_dataset,
    read_labels,
)
from cassl_worker.errors import CasslError
from cassl_worker.images import View, decode, letterbox, letterbox_size, prefetch, view_boxes, view_masks, view_pixels
from cassl_worker.masks import encode
from cassl_worker.sampling import batch_positions

NO_CHANGE = AugmentationConfig(flip_probability=0, min_zoom=1, max_zoom=1, color_jitter=0)
ANY_CHANGE = AugmentationConfig(flip_probability=0.5, min_zoom=0.5, max_zoom=2, color_jitter=0.3)
IMAGE_LINE = {
    "id": 5,
    "file_name": "a/b.png",
    "sha256": "00",
    "width_px": 40,
    "height_px": 30,
    "annotations": [
        {"box_xywh": [1, 2, 3.5, 4], "class_index": 1, "area": 14, "iscrowd": False, "score": 0.5, "mask": "0a"}
    ],
}
HEADER = {"cassl": "dataset", "version": 1, "categories": [{"id": 3, "name": "red"}], "image_count": 1}


def write_manifest(folder: Path, *lines: object) -> Path:
    path = folder / "manifest"
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    return path


def batches_of(dataset: Dataset, augmentation: AugmentationConfig = NO_CHANGE, **changes: Any) -> TrainingBatches:
    settings: dict[str, Any] = {"input_size": (96, 96), "images_per_batch": 4, "seed": 1} | changes
    solver = SolverConfig(
        images_per_batch=settings.pop("images_per_batch"), gradient_accumulation=1, augmentation=augmentation
    )
    return TrainingBatches(dataset, solver=solver, **settings)


class TestReadDataset:
    def test_reads_what_the_controller_writes(self, tmp_path: Path) -> None:
        dataset = read_dataset(write_manifest(tmp_path, HEADER, IMAGE_LINE), tmp_path / "images")
        annotation = Annotation((1, 2, 3.5, 4), 1, 14, False, 0.5, "0a")
        assert dataset.images == (ImageRecord(5, "a/b.png", "00", 40, 30, (annotation,)),)
        assert [(category.id, category.name) for category in dataset.categories] == [(3, "red")]
        assert dataset.root == tmp_path / "images"

    def test_names_may_hold_what_python_takes_for_a_line_end(self, tmp_path: Path) -> None:
        name = "a\u2028b\u0085c\x0bd"
        lines = {**HEADER, "categories": [{"id": 3, "name": name}]}, {**IMAGE_LINE, "file_name": name}
        path = tmp_path / "manifest"
        path.write_text("".join(f"{json.dumps(line, ensure_ascii=False)}\n" for line in lines), encoding="utf-8")
        dataset = read_dataset(path, tmp_path)
        assert (dataset.categories[0].name, dataset.images[0].file_name) == (name, name)

    @pytest.mark.parametrize(
        "lines",
        [
            [],
            [HEADER],
            [HEADER, IMAGE_LINE, IMAGE_LINE],
            [HEADER | {"version": 2}, IMAGE_LINE],
            [HEADER, IMAGE_LINE | {"annotations": [{"box_xywh": [1, 2, 3, 4]}]}],
        ],
    )
    def test_refuses_what_is_not_a_whole_manifest(self, tmp_path: Path, lines: list[object]) -> None:
        with pytest.raises(CasslError) as caught:
            read_dataset(write_manifest(tmp_path, *lines), tmp_path)
        assert caught.value.reason == "ANNOTATIONS_INVALID"


LABELS = {
    "image": pa.array([0, 2, 2], pa.int32()),
    "x0": pa.array([1, 2, 3], pa.float32()),
    "y0": pa.array([4, 5, 6], pa.float32()),
    "x1": pa.array([10.5, 20.5, 30.5], pa.float32()),
    "y1": pa.array([40.5, 50.5, 60.5], pa.float32()),
    "score": pa.array([0.5, 0.75, 0.5], pa.float32()),
    "class": pa.array([0, 1, 0], pa.int32()),
}


def write_labels(folder: Path, **changes: Any) -> Path:
    path = folder / "labels.parquet"
    pq.write_table(pa.table({name: values for name, values in (LABELS | changes).items() if values is not None}), path)
    return path


class TestReadLabels:
    def test_gives_each_image_its_boxes_bit_for_bit(self, tmp_path: Path) -> None:
        labels = read_labels(write_labels(tmp_path), image_count=4, class_count=2)
        images = tuple(ImageRecord(at, f"{at}.png", "", 99, 99, ()) for at in range(4))
        dataset = Dataset((), images, tmp_path, labels=labels)
        assert dataset.class_count == 2
        assert [dataset.objects(at).boxes.tolist() for at in range(4)] == [
            [[1, 4, 10.5, 40.5]],
            [],
            [[2, 5, 20.5, 50.5], [3, 6, 30.5, 60.5]],
            [],
        ]
        assert [dataset.objects(at).classes.tolist() for at in range(4)] == [[0], [], [1, 0], []]

    def test_replace_the_annotations_in_batches(self, rectangles: Dataset, tmp_path: Path) -> None:
        rows = [(at, item) for at, record in enumerate(rectangles.images) for item in record.annotations]
        boxes = boxes_xyxy([item for _, item in rows])
        columns = {name: pa.array(boxes[:, side], pa.float32()) for side, name in enumerate(("x0", "y0", "x1", "y1"))}
        image = pa.array([at for at, _ in rows], pa.int32())
        classes = pa.array([item.class_index for _, item in rows], pa.int32())
        path = write_labels(tmp_path, **columns, image=image, **{"class": classes}, score=None)
        bare = tuple(replace(record, annotations=()) for record in rectangles.images)
        labels = read_labels(path, len(bare), class_count=2)
        labeled = batches_of(replace(rectangles, images=bare, labels=labels), ANY_CHANGE).batch(3)
        for target, expected in zip(labeled.targets, batches_of(rectangles, ANY_CHANGE).batch(3).targets, strict=True):
            assert torch.equal(target.boxes, expected.boxes) and torch.equal(target.labels, expected.labels)

    def test_bring_their_masks_where_these_are_asked_for(self, tmp_path: Path) -> None:
        path = write_labels(tmp_path, mask=pa.array(["0a", None, "9"], pa.string()))
        dataset = Dataset((), tuple(ImageRecord(at, f"{at}.png", "", 9, 9, ()) for at in range(4)), tmp_path)
        given = read_labels(path, image_count=4, class_count=2, masks=True)
        without = read_labels(path, image_count=4, class_count=2)

        def masks_of(labels: Labels) -> list[tuple[bytes | None, ...]]:
            return [replace(dataset, labels=labels).objects(at, masks=True).masks for at in range(3)]

        assert masks_of(given) == [(b"0a",), (), (None, b"9")]
        assert masks_of(without) == [(None,), (), (None, None)]
        assert replace(dataset, labels=given).objects(0).masks == ()

    def test_without_a_column_of_masks_have_none(self, tmp_path: Path) -> None:
        assert read_labels(write_labels(tmp_path), image_count=4, class_count=2, masks=True).masks is None

    def test_may_be_none_at_all(self, tmp_path: Path) -> None:
        nothing = {name: column.slice(0, 0) for name, column in LABELS.items()}
        labels = read_labels(write_labels(tmp_path, **nothing), image_count=2, class_count=1)
        assert labels.starts.tolist() == [0, 0, 0]

    @pytest.mark.parametrize(
        "changes",
        [
            {"image": pa.array([0, 2, 1], pa.int32())},
            {"image": pa.array([0, 2, 4], pa.int32())},
            {"image": pa.array([-1, 2, 2], pa.int32())},
            {"class": pa.array([0, 2, 0], pa.int32())},
            {"class": pa.array([0, -1, 0], pa.int32())},
            {"x0": None},
        ],
    )
    def test_of_other_images_or_classes_are_refused(self, tmp_path: Path, changes: dict[str, Any]) -> None:
        with pytest.raises(CasslError) as caught:
            read_labels(write_labels(tmp_path, **changes), image_count=4, class_count=2)
        assert caught.value.reason == "ARTIFACT_CORRUPT"

    def test_that_are_no_parquet_file_are_refused(self, tmp_path: Path) -> None:
        (tmp_path / "labels.parquet").write_text("no Parquet")
        with pytest.raises(CasslError) as caught:
            read_labels(tmp_path / "labels.parquet", image_count=1, class_count=1)
        assert caught.value.reason == "ARTIFACT_CORRUPT"


class TestDecode:
    def record(self, file_name: str) -> ImageRecord:
        return ImageRecord(1, file_name, "", 40, 30, ())

    def test_ignores_exif_orientation(self, tmp_path: Path) -> None:
        exif = Image.Exif()
        exif[0x0112] = 6
        Image.new("RGB", (40, 30)).save(tmp_path / "turned.jpg", exif=exif)
        assert decode(self.record("turned.jpg"), tmp_path).size == (40, 30)

    @pytest.mark.parametrize("mode", ["L", "P", "RGBA", "CMYK", "1"])
    def test_gives_rgb_for_every_mode(self, tmp_path: Path, mode: str) -> None:
        Image.new(mode, (40, 30)).save(tmp_path / "image.tif")
        assert decode(self.record("image.tif"), tmp_path).mode == "RGB"

    def test_names_an_image_that_is_missing_or_cut_or_no_image_or_of_another_size(self, tmp_path: Path) -> None:
        Image.effect_noise((40, 30), 50).save(tmp_path / "whole.png")
        (tmp_path / "cut.png").write_bytes((tmp_path / "whole.png").read_bytes()[:600])
        (tmp_path / "text.png").write_text("no image")
        Image.new("RGB", (30, 40)).save(tmp_path / "other.png")
        for name in ("missing.png", "cut.png", "text.png", "other.png"):
            with pytest.raises(CasslError, match=name) as caught:
                decode(self.record(name), tmp_path)
            assert caught.value.reason == "IMAGE_INVALID"

    def test_reduces_a_large_jpeg_no_further_than_asked(self, tmp_path: Path) -> None:
        Image.new("RGB", (1600, 1200)).save(tmp_path / "large.jpg")
        record = ImageRecord(1, "large.jpg", "", 1600, 1200, ())
        assert decode(record, tmp_path, enough=(300, 220)).size == (400, 300)
        assert decode(record, tmp_path).size == (1600, 1200)


class TestLetterbox:
    @pytest.mark.parametrize(
        ("image_size", "expected"),
        [((512, 384), (256, 192)), ((100, 200), (96, 192)), ((10, 5), (256, 128)), ((5000, 3), (256, 1))],
    )
    def test_keeps_the_aspect_and_at_least_one_pixel(
        self, image_size: tuple[int, int], expected: tuple[int, int]
    ) -> None:
        assert letterbox_size(image_size, (256, 192)) == expected

    @given(st.tuples(st.integers(1, 5000), st.integers(1, 5000)))
    def test_fits_and_fills_one_side(self, image_size: tuple[int, int]) -> None:
        width, height = letterbox_size(image_size, (256, 192))
        assert 1 <= width <= 256 and 1 <= height <= 192 and (width == 256 or height == 192)

    def test_stands_at_the_top_left_with_gray_around(self) -> None:
        pixels = letterbox(Image.new("RGB", (20, 10), (255, 0, 0)), (40, 40))
        assert (pixels[:20] == (255, 0, 0)).all() and (pixels[20:] == 127).all()


class TestAugmentation:
    @given(st.integers(0, 10_000))
    def test_boxes_follow_the_pixels(self, seed: int) -> None:
        pixels = np.zeros((120, 160, 3), dtype=np.uint8)
        pixels[30:90, 40:120] = 255
        image, box = Image.fromarray(pixels), np.array([[40, 30, 120, 90]], dtype=np.float32)
        view = draw_view(np.random.default_rng(seed), ANY_CHANGE, (96, 72))
        shown = view_pixels(image, view)[..., 0] > 127
        x, y, *_ = view.place
        boxes, visible = visible_boxes(view_boxes(box, image.size, view), view)
        rows, columns = np.nonzero(shown)
        seen = [columns.min() + x, rows.min() + y, columns.max() + 1 + x, rows.max() + 1 + y]
        np.testing.assert_allclose(boxes[0], seen, atol=1)
        assert visible[0]

    @given(st.integers(0, 10_000), st.booleans())
    def test_masks_follow_the_pixels(self, seed: int, enlarged: bool) -> None:
        y, x = np.mgrid[0:120, 0:160]
        inside = (x - 70) ** 2 / 50**2 + (y - 65) ** 2 / 30**2 < 1
        image = Image.fromarray(np.repeat(255 * inside[..., None], 3, axis=2).astype(np.uint8))
        view = draw_view(np.random.default_rng(seed), ANY_CHANGE, (192, 144) if enlarged else (96, 72))
        (mask,) = view_masks([encode(inside)], image.size, view, (200, 150))
        pixels = np.zeros((150, 200, 3), np.uint8)
        pixels[slice(view.place[1], None), slice(view.place[0], None)][: view.place[3], : view.place[2]] = view_pixels(
            image, view
        )
        differing = mask != (pixels[..., 0] > 127)
        assert mask.shape == (150, 200) and differing.sum() < 0.06 * mask.sum()

    def test_view_without_change_is_the_letterbox(self) -> None:
        assert draw_view(np.random.default_rng(0), NO_CHANGE, (96, 72)) == View((0, 0, 1, 1), (0, 0, 96, 72))

    def test_objects_that_a_crop_hides_are_dropped(self) -> None:
        left_half = View((0, 0, 0.5, 1), (0, 0, 50, 100))
        boxes = np.array([[0, 0, 10, 10], [48, 0, 58, 10], [45, 0, 55, 10], [80, 0, 90, 10]], dtype=np.float32)
        clipped, visible = visible_boxes(view_boxes(boxes, (100, 100), left_half), left_half)
        assert visible.tolist() == [True, False, True, False]
        np.testing.assert_allclose(clipped[2], [45, 0, 50, 10])

    @pytest.mark.parametrize("width", [0.0, 1e-6, 1e-3])
    def test_boxes_that_end_up_without_area_are_dropped(self, width: float) -> None:
        boxes = np.array([[800, 600, 800 + width, 650]], dtype=np.float32)
        view = View((0, 0, 1, 1), (60, 40, 10, 10))
        shown, visible = visible_boxes(view_boxes(boxes, (1000, 1000), view), view)
        assert bool(visible[0]) == bool(shown[0, 2] > shown[0, 0] and shown[0, 3] > shown[0, 1])
        assert not visible[0] or width > 0

    def test_jitter_of_strength_zero_changes_nothing(self) -> None:
        pixels = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
        np.testing.assert_array_equal(jitter_color(pixels, np.random.default_rng(1), 0), pixels)


class TestBatches:
    def test_unchanged_images_are_letterboxed_with_their_boxes(self, rectangles: Dataset) -> None:
        batch = batches_of(rectangles, input_size=(48, 48)).batch(0)
        assert batch.images.shape == (4, 48, 48, 3) and batch.images.dtype == torch.uint8
        positions = batch_positions(1, 0, 4, np.ones(8))
        for position, image, target in zip(positions, batch.images, batch.targets, strict=True):
            record = rectangles.images[position]
            expected = letterbox(decode(record, rectangles.root), (48, 48))
            np.testing.assert_array_equal(image.numpy(), expected)
            np.testing.assert_allclose(target.boxes, boxes_xyxy(record.annotations) / 2, atol=1e-4)
            assert target.labels.tolist() == [annotation.class_index for annotation in record.annotations]

    def test_targets_have_masks_where_they_are_asked_for(self, rectangles: Dataset) -> None:
        batch = batches_of(rectangles, masks=True).batch(0)
        assert all(target.masks is None for target in batches_of(rectangles).batch(0).targets)
        for target in batch.targets:
            assert target.masks is not None and target.masks.shape == (len(target.boxes), 96, 96)
            for box, mask in zip(target.boxes.round().int().tolist(), target.masks, strict=True):
                expected = torch.zeros(96, 96, dtype=torch.bool)
                expected[box[1] : box[3], box[0] : box[2]] = True
                assert torch.equal(mask, expected)

    def test_object_without_a_mask_is_named(self, rectangles: Dataset) -> None:
        check_masks(rectangles)
        first, second, *others = rectangles.images
        bare = replace(second, annotations=(second.annotations[0], replace(second.annotations[1], mask=None)))
        with pytest.raises(CasslError, match=r"Object 2 of 2 in 1\.png has no mask") as caught:
            check_masks(replace(rectangles, images=(first, bare, *others)))
        assert caught.value.reason == "ANNOTATIONS_INVALID"

    def test_crowd_needs_no_mask(self, rectangles: Dataset) -> None:
        crowd = tuple(replace(item, mask=None, iscrowd=True) for item in rectangles.images[0].annotations)
        check_masks(replace(rectangles, images=(replace(rectangles.images[0], annotations=crowd),)))

    def test_batch_depends_on_seed_and_iteration_only(self, rectangles: Dataset) -> None:
        used = batches_of(rectangles, ANY_CHANGE)
        for iteration in (4, 0):
            used.batch(iteration)
        again, fresh = used.batch(7), batches_of(rectangles, ANY_CHANGE).batch(7)
        assert torch.equal(again.images, fresh.images)
        assert not torch.equal(fresh.images, batches_of(rectangles, ANY_CHANGE, seed=2).batch(7).images)
        assert not torch.equal(fresh.images, batches_of(rectangles, ANY_CHANGE).batch(9).images)

    def test_multi_scale_changes_the_size_of_whole_batches(self, rectangles: Dataset) -> None:
        jitter = AugmentationConfig(min_zoom=1, max_zoom=1, multi_scale=0.5)
        batches = [batches_of(rectangles, jitter).batch(iteration) for iteration in range(12)]
        sizes = {tuple(batch.images.shape[1:3]) for batch in batches}
        assert len(sizes) > 1 and all(height == width and height in (64, 96, 128, 160) for height, width in sizes)
        for batch in batches:
            side = batch.images.shape[1]
            for target in batch.targets:
                assert bool((target.boxes >= 0).all()) and bool((target.boxes <= side).all())

    def test_parts_of_a_batch_are_its_images_in_order(self, rectangles: Dataset) -> None:
        batch = batches_of(rectangles).batch(0)
        parts = list(batch.split(2))
        assert torch.equal(torch.cat([part.images for part in parts]), batch.images)
        assert [target for part in parts for target in part.targets] == list(batch.targets)

    def test_dataset_smaller_than_a_batch_fills_it(self, tmp_path: Path) -> None:
        batch = batches_of(rectangle_dataset(tmp_path, [1]), ANY_CHANGE, images_per_batch=3).batch(0)
        assert len(batch.images) == len(batch.targets) == 3

    def test_crowds_are_no_targets(self, tmp_path: Path) -> None:
        dataset = rectangle_dataset(tmp_path, [2])
        first, second = dataset.images[0].annotations
        record = replace(dataset.images[0], annotations=(replace(first, iscrowd=True), second))
        target = batches_of(Dataset(CATEGORIES, (record,), tmp_path)).batch(0).targets[0]
        assert target.labels.tolist() == [second.class_index]

    def test_image_without_objects_has_empty_targets(self, tmp_path: Path) -> None:
        target = batches_of(rectangle_dataset(tmp_path, [0]), ANY_CHANGE).batch(0).targets[0]
        assert target.boxes.shape == (0, 4) and target.labels.shape == (0,)

    def test_labels_agree_with_colors_after_any_change(self, rectangles: Dataset) -> None:
        quiet = AugmentationConfig(flip_probability=0.5, min_zoom=0.6, max_zoom=1.6, color_jitter=0)
        batch = batches_of(rectangles, quiet, images_per_batch=32).batch(0)
        assert sum(len(target.labels) for target in batch.targets) > 32
        for image, target in zip(batch.images, batch.targets, strict=True):
            centers = ((target.boxes[:, :2] + target.boxes[:, 2:]) / 2).long()
            for (x, y), label in zip(centers.tolist(), target.labels.tolist(), strict=True):
                assert np.abs(image[y, x].numpy().astype(int) - COLORS[label]).max() < 30


class TestPrefetch:
    def test_keeps_the_order(self) -> None:
        assert list(prefetch(lambda item: item * item, range(20), ahead=3, threads=4)) == [n * n for n in range(20)]

    def test_loads_no_further_ahead_than_asked(self) -> None:
        asked: list[int] = []
        loaded = prefetch(abs, (asked.append(n) or n for n in range(100)), ahead=3, threads=2)  # type: ignore[func-returns-value]
        next(loaded)
        assert asked == [0, 1, 2, 3]
        loaded.close()

    def test_passes_errors_on_and_ends_its_threads(self, tmp_path: Path) -> None:
        record = ImageRecord(1, "missing.png", "", *SIZE, ())
        load: Callable[[int], Image.Image] = lambda _: decode(record, tmp_path)  # noqa: E731
        with pytest.raises(CasslError):
            next(prefetch(load, range(9), ahead=2, threads=2))
        assert not [thread for thread in threading.enumerate() if thread.name.startswith("prefetch")]
