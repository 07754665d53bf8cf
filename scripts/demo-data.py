"""Makes the demo data set: handwritten digits drawn over photos and textures, as COCO JSON and JPEG files.

    .venv/bin/python scripts/demo-data.py --out demo-data

The digits are scikit-learn's 1,797 scans (8x8 pixels, ten classes), the photos its two sample images. Ink stands out
from the background, so finding objects can be learned from few labels; telling ten classes apart at this size takes
many more. That is the regime class-agnostic semi-supervised learning is made for. Equal parameters give equal bytes.
Scans and photo regions of validation scenes never appear in other scenes.
"""

import argparse
import dataclasses
import hashlib
import json
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from sklearn.datasets import load_digits, load_sample_images

Array = NDArray[np.float64]
Box = tuple[int, int, int, int]
"""x, y, width, height in whole pixels: the smallest box that holds all visible ink."""

JPEG_QUALITY = 90
MIN_VISIBLE_ALPHA = 0.25
"""Ink fainter than this share of the digit's strongest ink does not widen its box."""
SIDE_PX = (18.0, 44.0)
"""Range of the longer side of a digit's ink, before stretching."""
MIN_SCENE_PX = 64
MAX_COVERED = 0.35
"""No more than this share of a box may lie inside another box."""
VALIDATION_SHARE = 0.3
"""Share of the scans of each class, and of each photo, that only validation scenes use."""


@dataclass(frozen=True, kw_only=True)
class Parameters:
    seed: int = 0
    labeled: int = 20
    unlabeled: int = 200
    validation: int = 120
    width_px: int = 160
    height_px: int = 128
    max_strokes: int = 2


@dataclass(frozen=True)
class Source:
    """What scenes are composed from. scans: one (N, 8, 8) array a class, 0..1. photos: (H, W, 3), 0..255."""

    scans: list[Array]
    photos: list[Array]


@dataclass(frozen=True)
class Scene:
    """pixels: (H, W, 3) uint8 RGB."""

    pixels: NDArray[np.uint8]
    objects: list[tuple[int, Box]]


def load_sources(seed: int) -> tuple[Source, Source]:
    """(for training scenes, for validation scenes), with no scan and no photo region in common."""
    rng = np.random.default_rng([seed, 0])
    digits = load_digits()
    photos = [np.asarray(photo, dtype=np.float64) for photo in load_sample_images().images]
    train, validation = Source([], []), Source([], [])
    for digit in range(10):
        scans = rng.permutation(digits.images[digits.target == digit]) / 16.0
        held_out = round(len(scans) * VALIDATION_SHARE)
        validation.scans.append(scans[:held_out])
        train.scans.append(scans[held_out:])
    for photo in photos:
        border = round(photo.shape[1] * (1 - VALIDATION_SHARE))
        train.photos.append(photo[:, :border])
        validation.photos.append(photo[:, border:])
    return train, validation


def make_scenes(source: Source, parameters: Parameters, rng: np.random.Generator) -> Iterator[Scene]:
    """Scenes without end. Every ten objects in a row hold each class once, so that small sets have all classes."""
    classes = endless_classes(rng)
    while True:
        canvas = make_background(source, parameters, rng)
        for _ in range(rng.integers(0, parameters.max_strokes + 1)):
            draw_stroke(canvas, rng)
        objects: list[tuple[int, Box]] = []
        for _ in range(rng.integers(2, 7)):
            digit = next(classes)
            scan = source.scans[digit][rng.integers(len(source.scans[digit]))]
            objects.append((digit, draw_digit(canvas, scan, [box for _, box in objects], rng)))
        canvas += rng.normal(0, rng.uniform(1, 5), canvas.shape)
        yield Scene(np.clip(canvas.round(), 0, 255).astype(np.uint8), objects)


def endless_classes(rng: np.random.Generator) -> Iterator[int]:
    while True:
        yield from rng.permutation(10).tolist()


def make_background(source: Source, parameters: Parameters, rng: np.random.Generator) -> Array:
    """(H, W, 3), 0..255: two in three are crops of photos, the others textures."""
    height, width = parameters.height_px, parameters.width_px
    if rng.random() < 2 / 3:
        return photo_crop(source.photos[rng.integers(len(source.photos))], width, height, rng)
    dark, light = rng.uniform(20, 150, 3), rng.uniform(80, 235, 3)
    mix = (smooth_noise, gradient, stripes)[rng.integers(3)](width, height, rng)
    return dark + (light - dark) * mix[..., None]


def photo_crop(photo: Array, width: int, height: int, rng: np.random.Generator) -> Array:
    largest = min(photo.shape[1] / width, photo.shape[0] / height)
    scale = rng.uniform(0.3, 0.9) * largest
    crop_width, crop_height = int(width * scale), int(height * scale)
    x = rng.integers(photo.shape[1] - crop_width + 1)
    y = rng.integers(photo.shape[0] - crop_height + 1)
    crop = Image.fromarray(photo[y : y + crop_height, x : x + crop_width].astype(np.uint8))
    crop = crop.resize((width, height), Image.Resampling.BICUBIC)
    if rng.random() < 0.5:
        crop = crop.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return np.asarray(crop, dtype=np.float64) * rng.uniform(0.7, 1.1)


def smooth_noise(width: int, height: int, rng: np.random.Generator) -> Array:
    """(H, W), 0..1: random values on a coarse grid, interpolated."""
    cells = int(rng.integers(3, 14))
    grid = Image.fromarray(rng.random((cells, cells)).astype(np.float32))
    return np.clip(np.asarray(grid.resize((width, height), Image.Resampling.BICUBIC), dtype=np.float64), 0, 1)


def gradient(width: int, height: int, rng: np.random.Generator) -> Array:
    """(H, W), 0..1: a straight ramp in any direction."""
    ramp = distance_along(rng.uniform(0, 2 * np.pi), width, height)
    return np.asarray((ramp - ramp.min()) / (ramp.max() - ramp.min()))


def stripes(width: int, height: int, rng: np.random.Generator) -> Array:
    """(H, W), 0..1: waves in any direction, 8 to 40 px long."""
    phase = distance_along(rng.uniform(0, 2 * np.pi), width, height) / rng.uniform(8, 40)
    strength = rng.uniform(0.3, 1)
    return 0.5 + strength * np.sin(2 * np.pi * phase) / 2


def distance_along(angle: float, width: int, height: int) -> Array:
    """(H, W): how far each pixel lies along a direction, in pixels."""
    y, x = np.mgrid[0:height, 0:width]
    return np.asarray(np.cos(angle) * x + np.sin(angle) * y, dtype=np.float64)


def draw_stroke(canvas: Array, rng: np.random.Generator) -> None:
    """A faint, thin, curved line: clutter that is no object."""
    height, width, _ = canvas.shape
    start, bend, end = (rng.uniform((0, 0), (width, height)) for _ in range(3))
    t = np.linspace(0, 1, 24)[:, None]
    curve = (1 - t) ** 2 * start + 2 * t * (1 - t) * bend + t**2 * end
    layer = Image.new("L", (width * 2, height * 2))
    ImageDraw.Draw(layer).line([(x * 2, y * 2) for x, y in curve.tolist()], fill=255, width=int(rng.integers(2, 6)))
    alpha = np.asarray(layer.resize((width, height), Image.Resampling.BOX), dtype=np.float64)[..., None] / 255
    canvas += alpha * rng.uniform(0.2, 0.5) * (rng.uniform(0, 255, 3) - canvas)


def draw_digit(canvas: Array, scan: Array, taken: list[Box], rng: np.random.Generator) -> Box:
    """Blends one scan into the canvas, in place, where it covers the boxes of `taken` least."""
    alpha = digit_alpha(scan, rng)
    x, y = place(alpha.shape[1], alpha.shape[0], canvas, taken, rng)
    region = canvas[y : y + alpha.shape[0], x : x + alpha.shape[1]]
    color = contrasting_color(region.mean(axis=(0, 1)), rng)
    region += alpha[..., None] * rng.uniform(0.7, 0.95) * (color - region)
    return x, y, alpha.shape[1], alpha.shape[0]


def digit_alpha(scan: Array, rng: np.random.Generator) -> Array:
    """(h, w), 0..1: the scan upscaled, rotated and stretched, with crisp edges, cropped to its visible ink."""
    padded = Image.fromarray(np.pad(scan, 3).astype(np.float32))
    turned = padded.resize((128, 128), Image.Resampling.BICUBIC).rotate(rng.uniform(-20, 20), Image.Resampling.BICUBIC)
    ink = crop_to(np.clip((np.asarray(turned, dtype=np.float64) - 0.2) / 0.5, 0, 1), MIN_VISIBLE_ALPHA)
    scale = rng.uniform(*SIDE_PX) / max(ink.shape)
    stretch = rng.uniform(0.85, 1.15)
    size = (max(6, round(ink.shape[1] * scale * stretch)), max(6, round(ink.shape[0] * scale)))
    small = Image.fromarray(ink.astype(np.float32)).resize(size, Image.Resampling.BILINEAR)
    return crop_to(np.asarray(small, dtype=np.float64), MIN_VISIBLE_ALPHA)


def crop_to(alpha: Array, threshold: float) -> Array:
    """The smallest part that holds every value of at least threshold * maximum."""
    rows, columns = np.nonzero(alpha >= threshold * alpha.max())
    return alpha[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]


def place(width: int, height: int, canvas: Array, taken: list[Box], rng: np.random.Generator) -> tuple[int, int]:
    """The first of some random places where no box is covered too much, else the one with the least cover."""
    best, best_cover = (0, 0), np.inf
    for _ in range(40):
        x = int(rng.integers(canvas.shape[1] - width + 1))
        y = int(rng.integers(canvas.shape[0] - height + 1))
        cover = max((covered((x, y, width, height), box) for box in taken), default=0.0)
        if cover < best_cover:
            best, best_cover = (x, y), cover
        if cover <= MAX_COVERED:
            break
    return best


def covered(a: Box, b: Box) -> float:
    """Intersection over the smaller box, 0..1."""
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    return max(0, width) * max(0, height) / min(a[2] * a[3], b[2] * b[3])


def contrasting_color(background: Array, rng: np.random.Generator) -> Array:
    """A color (R, G, B) whose brightness differs from the background's by 70 to 150, tinted at random."""
    brightness = background.mean()
    step = rng.uniform(70, 150) * (1 if brightness < rng.uniform(90, 165) else -1)
    return np.asarray(np.clip(brightness + step + rng.uniform(-45, 45, 3), 0, 255))


def write_split(folder: Path, name: str, scenes: Iterator[Scene], count: int, annotated: bool) -> None:
    """Writes name/*.jpg, and annotations_name.json if annotated."""
    (folder / name).mkdir()
    images: list[dict[str, object]] = []
    annotations: list[dict[str, object]] = []
    for index in range(count):
        scene = next(scenes)
        height, width, _ = scene.pixels.shape
        images.append({"id": index + 1, "file_name": f"{index:05d}.jpg", "width": width, "height": height})
        Image.fromarray(scene.pixels).save(folder / name / f"{index:05d}.jpg", quality=JPEG_QUALITY)
        for digit, box in scene.objects:
            annotation = {"category_id": digit + 1, "bbox": list(box), "area": box[2] * box[3], "iscrowd": 0}
            annotations.append({"id": len(annotations) + 1, "image_id": index + 1, **annotation})
    if annotated:
        categories = [{"id": digit + 1, "name": str(digit)} for digit in range(10)]
        document = {"images": images, "annotations": annotations, "categories": categories}
        (folder / f"annotations_{name}.json").write_text(json.dumps(document) + "\n")


def write_data_set(folder: Path, parameters: Parameters) -> None:
    train, validation = load_sources(parameters.seed)
    splits = [
        ("train", train, parameters.labeled, True),
        ("unlabeled", train, parameters.unlabeled, False),
        ("val", validation, parameters.validation, True),
    ]
    for number, (name, source, count, annotated) in enumerate(splits, start=1):
        rng = np.random.default_rng([parameters.seed, number])
        write_split(folder, name, make_scenes(source, parameters, rng), count, annotated)


def stamp_of(parameters: Parameters) -> str:
    """What decides the bytes: the parameters and this file."""
    code = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()
    return json.dumps({**dataclasses.asdict(parameters), "code": code}, indent=2) + "\n"


def ensure_data_set(out: Path, parameters: Parameters) -> bool:
    """Makes the data set unless `out` holds it already; returns whether it was made. Never leaves half a set behind.

    Raises FileExistsError if `out` holds something else.
    """
    stamp = out / "parameters.json"
    if stamp.exists() and stamp.read_text() == stamp_of(parameters):
        return False
    if out.exists() and any(out.iterdir()) and not stamp.exists():
        raise FileExistsError(f"{out} is not empty and holds no demo data set. Choose another --out, or empty it.")
    partial = out.with_name(f"{out.name}.partial-{os.getpid()}")
    partial.mkdir(parents=True)
    try:
        write_data_set(partial, parameters)
        (partial / stamp.name).write_text(stamp_of(parameters))
        shutil.rmtree(out, ignore_errors=True)
        partial.rename(out)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return True


def main() -> int:
    parser = argparse.ArgumentParser(description="Makes the demo data set (COCO JSON and JPEG files).")
    parser.add_argument("--out", type=Path, required=True)
    for field in dataclasses.fields(Parameters):
        flag = "--" + field.name.replace("_", "-")
        parser.add_argument(flag, dest=field.name, type=int, default=field.default, help="default %(default)s")
    arguments = vars(parser.parse_args())
    out = arguments.pop("out").absolute()
    parameters = Parameters(**arguments)
    if min(parameters.width_px, parameters.height_px) < MIN_SCENE_PX or min(arguments.values()) < 0:
        parser.error(f"scenes must be at least {MIN_SCENE_PX} px wide and high, and no value may be negative")
    try:
        made = ensure_data_set(out, parameters)
    except FileExistsError as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{out}: {'made' if made else 'up to date'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
