"""Pictures for benchmarks: smooth and random, which JPEG compresses about as photos."""

from pathlib import Path

import numpy as np
from PIL import Image

WIDTH_PX, HEIGHT_PX = 640, 480
COARSE = (24, 32, 3)


def write_pictures(folder: Path, count: int) -> list[Path]:
    """JPEG files of WIDTH_PX x HEIGHT_PX; the same count gives the same files, whose names are in order."""
    rng = np.random.default_rng(0)
    paths = [folder / f"{at:05}.jpg" for at in range(count)]
    for path in paths:
        coarse = Image.fromarray(rng.integers(0, 256, COARSE, dtype=np.uint8))
        coarse.resize((WIDTH_PX, HEIGHT_PX), Image.Resampling.BICUBIC).save(path, quality=90)
    return paths
