"""Pillow's bilinear resize and the letterbox around it. Pixels are base64 of (height, width, 3) bytes.

Needs Pillow 13 or later: before, the order of the two passes of a resize was another.
"""

import base64
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Case = dict[str, Any]
Pixels = NDArray[np.uint8]


def letterbox(image: Image.Image, width_px: int, height_px: int) -> Pixels:
    scale = min(width_px / image.width, height_px / image.height)
    new_width = max(1, math.floor(image.width * scale + 0.5))
    new_height = max(1, math.floor(image.height * scale + 0.5))
    resized = image.resize((new_width, new_height), Image.Resampling.BILINEAR)
    canvas = np.full((height_px, width_px, 3), 127, np.uint8)
    canvas[:new_height, :new_width] = np.asarray(resized)
    return canvas


RESIZES = [(7, 5, 7, 5), (7, 5, 13, 11), (13, 11, 7, 5), (16, 3, 5, 9), (3, 16, 9, 5), (1, 1, 4, 3), (9, 9, 1, 1)]
RESIZES += [(31, 2, 8, 2), (2, 31, 2, 8), (20, 15, 19, 14), (10, 20, 7, 14), (10, 20, 7, 13)]
LETTERBOXES = [
    (20, 15, 8, 8),
    (15, 20, 8, 8),
    (5, 4, 12, 12),
    (40, 1, 8, 8),
    (8, 8, 8, 8),
    (10, 7, 16, 6),
    (7, 30, 8, 12),
]


def resize_cases() -> list[Case]:
    rng = np.random.default_rng(0)
    cases: list[Case] = []
    for kind, sizes in (("resize", RESIZES), ("letterbox", LETTERBOXES)):
        for width, height, to_width, to_height in sizes:
            levels = np.array([0, 1, 127, 128, 254, 255, *rng.integers(0, 256, 6)], np.uint8)
            pixels = rng.choice(levels, (height, width, 3))
            image = Image.fromarray(pixels)
            resized = image.resize((to_width, to_height), Image.Resampling.BILINEAR)
            expected = np.asarray(resized) if kind == "resize" else letterbox(image, to_width, to_height)
            size = {"width_px": width, "height_px": height, "to_width_px": to_width, "to_height_px": to_height}
            cases.append({"kind": kind, **size, "pixels": base64_of(pixels), "expected": base64_of(expected)})
    return cases


def base64_of(pixels: Pixels) -> str:
    return base64.b64encode(pixels.tobytes()).decode()
