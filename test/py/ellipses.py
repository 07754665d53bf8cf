"""Generated images of colored ellipses, as datasets with masks."""

from pathlib import Path

import numpy as np
from PIL import Image
from rectangles import CATEGORIES, COLORS

from cassl_worker.data import Annotation, Dataset, ImageRecord
from cassl_worker.masks import encode

SIZE = (96, 96)


def ellipse_dataset(folder: Path, counts: tuple[int, ...]) -> Dataset:
    """One image an entry of `counts`, with that many ellipses, each in a quarter of its own."""
    return Dataset(
        CATEGORIES, tuple(ellipse_image(folder, number, count) for number, count in enumerate(counts)), folder
    )


def ellipse_image(folder: Path, number: int, count: int) -> ImageRecord:
    rng = np.random.default_rng(number)
    pixels = rng.integers(110, 140, (SIZE[1], SIZE[0], 3), dtype=np.uint8)
    y, x = np.mgrid[0 : SIZE[1], 0 : SIZE[0]]
    annotations = []
    for quarter in rng.permutation(4)[:count]:
        width, height = rng.integers(24, 44, 2)
        left, top = 48 * (quarter % 2) + (46 - width) // 2, 48 * (quarter // 2) + (46 - height) // 2
        inside = ((2 * (x - left) + 1 - width) / width) ** 2 + ((2 * (y - top) + 1 - height) / height) ** 2 < 1
        class_index = int(rng.integers(2))
        pixels[inside] = COLORS[class_index]
        box = (float(left), float(top), float(width), float(height))
        annotations.append(Annotation(box, class_index, float(inside.sum()), False, mask=encode(inside).decode()))
    file_name = f"{number}.png"
    Image.fromarray(pixels).save(folder / file_name)
    return ImageRecord(number + 1, file_name, "", *SIZE, tuple(annotations))
