"""The demo data set: deterministic, tight boxes, no scan shared with validation."""

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from PIL import Image

SCRIPT = Path(__file__).parents[2] / "scripts" / "demo-data.py"


def load_script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("demo_data", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["demo_data"] = module
    spec.loader.exec_module(module)
    return module


demo_data = load_script()
SMALL = demo_data.Parameters(labeled=5, unlabeled=4, validation=5)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("demo") / "data"
    assert demo_data.ensure_data_set(out, SMALL)
    return out


def annotations(folder: Path, split: str) -> Any:
    return json.loads((folder / f"annotations_{split}.json").read_text())


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_equal_parameters_give_equal_bytes(made: Path, tmp_path: Path) -> None:
    demo_data.ensure_data_set(tmp_path / "again", SMALL)
    assert contents(tmp_path / "again") == contents(made)


def test_another_seed_gives_other_images(made: Path, tmp_path: Path) -> None:
    demo_data.ensure_data_set(tmp_path / "other", demo_data.Parameters(seed=1, labeled=1, unlabeled=0, validation=1))
    assert (tmp_path / "other/train/00000.jpg").read_bytes() != (made / "train/00000.jpg").read_bytes()


def test_larger_set_begins_with_the_smaller_one(made: Path, tmp_path: Path) -> None:
    demo_data.ensure_data_set(tmp_path / "larger", demo_data.Parameters(labeled=7, unlabeled=0, validation=0))
    assert (tmp_path / "larger/train/00004.jpg").read_bytes() == (made / "train/00004.jpg").read_bytes()


def test_finished_set_is_left_alone_and_another_one_replaces_it(tmp_path: Path) -> None:
    out = tmp_path / "data"
    tiny = demo_data.Parameters(labeled=1, unlabeled=0, validation=0)
    assert demo_data.ensure_data_set(out, tiny)
    assert not demo_data.ensure_data_set(out, tiny)
    assert demo_data.ensure_data_set(out, demo_data.Parameters(labeled=2, unlabeled=0, validation=0))
    assert len(list((out / "train").iterdir())) == 2


def test_folder_with_other_files_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="holds no demo data set"):
        demo_data.ensure_data_set(tmp_path, SMALL)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize("split", ["train", "val"])
def test_annotations_are_valid_coco(made: Path, split: str) -> None:
    document = annotations(made, split)
    sizes = {image["id"]: (image["width"], image["height"]) for image in document["images"]}
    assert len(sizes) == 5 and len({annotation["id"] for annotation in document["annotations"]}) > 10
    assert len({annotation["id"] for annotation in document["annotations"]}) == len(document["annotations"])
    assert {annotation["category_id"] for annotation in document["annotations"]} == set(range(1, 11))
    for image in document["images"]:
        with Image.open(made / split / image["file_name"]) as opened:
            assert opened.size == sizes[image["id"]]
    for annotation in document["annotations"]:
        x, y, width, height = annotation["bbox"]
        scene_width, scene_height = sizes[annotation["image_id"]]
        assert 0 <= x < x + width <= scene_width and 0 <= y < y + height <= scene_height
        assert annotation["area"] == width * height > 0


def test_unlabeled_images_come_without_annotations(made: Path) -> None:
    assert len(list((made / "unlabeled").iterdir())) == 4
    assert not (made / "annotations_unlabeled.json").exists()


def test_box_is_the_tight_bounds_of_the_ink() -> None:
    rng = np.random.default_rng(0)
    train, _ = demo_data.load_sources(0)
    for digit in range(10):
        canvas = np.full((128, 160, 3), 120.0)
        x, y, width, height = demo_data.draw_digit(canvas, train.scans[digit][0], [], rng)
        change = np.abs(canvas - 120.0).max(axis=2)
        rows, columns = np.nonzero(change >= demo_data.MIN_VISIBLE_ALPHA * change.max())
        assert (columns.min(), rows.min()) == (x, y)
        assert (columns.max() + 1 - x, rows.max() + 1 - y) == (width, height)


def test_validation_shares_no_scan_with_the_other_sets() -> None:
    train, validation = demo_data.load_sources(0)
    for ours, held_out in zip(train.scans, validation.scans, strict=True):
        seen = {scan.tobytes() for scan in ours}
        assert len(held_out) > 40 and not any(scan.tobytes() in seen for scan in held_out)
