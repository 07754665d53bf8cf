"""Random changes to training images."""

import numpy as np
from numpy.typing import NDArray

from cassl.v1.task_pb2 import AugmentationConfig

from cassl_worker.images import Boxes, Pixels, Size, View, box_of

MIN_VISIBLE_SHARE = 0.3
"""Objects of which a crop leaves a smaller share of the area are no longer objects."""
GRAY_WEIGHTS = np.array([0.299, 0.587, 0.114], dtype=np.float32)
"""Of red, green and blue in brightness (ITU-R BT.601)."""


def draw_view(rng: np.random.Generator, config: AugmentationConfig, letterbox_size: Size) -> View:
    """A random zoom, at a random place inside the rectangle of the letterbox, and a random flip."""
    width, height = letterbox_size
    zoom = rng.uniform(config.min_zoom, config.max_zoom)
    horizontal, vertical = rng.random(2)
    flipped = bool(rng.random() < config.flip_probability)
    if zoom > 1:
        side = 1 / zoom
        left, top = horizontal * (1 - side), vertical * (1 - side)
        return View((left, top, left + side, top + side), (0, 0, width, height), flipped)
    shown_width, shown_height = max(1, round(width * zoom)), max(1, round(height * zoom))
    x, y = round(horizontal * (width - shown_width)), round(vertical * (height - shown_height))
    return View((0, 0, 1, 1), (x, y, shown_width, shown_height), flipped)


def jitter_color(pixels: Pixels, rng: np.random.Generator, strength: float) -> Pixels:
    """Changes brightness, contrast and saturation, each by a factor in 1 - strength .. 1 + strength."""
    brightness, contrast, saturation = rng.uniform(1 - strength, 1 + strength, 3).astype(np.float32)
    changed = pixels * brightness
    gray = np.einsum("hwc,c->hw", changed, GRAY_WEIGHTS)[..., None]
    mean = gray.mean()
    changed = mean + contrast * (gray - mean + saturation * (changed - gray))
    jittered: Pixels = np.clip(changed + 0.5, 0, 255).astype(np.uint8)
    return jittered


def visible_boxes(boxes: Boxes, view: View) -> tuple[Boxes, NDArray[np.bool_]]:
    """Boxes in input px clipped to the view's place, and which of them still show enough of their object."""
    x, y, width, height = view.place
    clipped = np.clip(boxes, box_of(x, y), box_of(x + width, y + height))
    shown = area(clipped)
    return clipped, (shown > 0) & (shown >= MIN_VISIBLE_SHARE * area(boxes))


def area(boxes: Boxes) -> NDArray[np.float32]:
    return (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
