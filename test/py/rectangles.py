"""Generated images of colored rectangles, as datasets."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from cassl_worker.data import Annotation, Category, Dataset, ImageRecord
from cassl_worker.masks import encode

SIZE = (96, 80)
CATEGORIES = (Category(3, "red"), Category(7, "blue"))
COLORS = ((230, 40, 40), (40, 60, 230))


def rectangle_dataset(folder: Path, counts: Sequence[int]) -> Dataset:
    """One image an entry of `counts`, with that many rectangles, none of which overlaps another."""
    images = tuple(rectangle_image(folder, number, count) for number, count in enumerate(counts))
    return Dataset(CATEGORIES, images, folder)


def rectangle_image(folder: Path, number: int, count: int) -> ImageRecord:
    rng = np.random.default_rng(number)
    pixels = rng.integers(110, 140, (SIZE[1], SIZE[0], 3), dtype=np.uint8)
    annotations = []
    # At most one rectangle in each third of the width.
    for slot in rng.permutation(3)[:count]:
        width, height = int(rng.integers(16, 30)), int(rng.integers(16, 40))
        x, y = int(slot) * 32 + int(rng.integers(0, 32 - width + 1)), int(rng.integers(0, SIZE[1] - height + 1))
        class_index = int(rng.integers(2))
        pixels[y : y + height, x : x + width] = COLORS[class_index]
        mask = encode(np.ones((height, width), dtype=bool), (x, y), SIZE).decode()
        annotations.append(Annotation((x, y, width, height), class_index, width * height, False, mask=mask))
    file_name = f"{number}.png"
    Image.fromarray(pixels).save(folder / file_name)
    return ImageRecord(number + 1, file_name, "", *SIZE, tuple(annotations))
