"""Changes to an image that leave it recognizable and little else: for what is learned without ground truth."""

import math

import numpy as np
from PIL import Image, ImageFilter

from cassl_worker.augmentation import GRAY_WEIGHTS, jitter_color
from cassl_worker.images import PAD_VALUE, Pixels, Size, View

COLOR_JITTER, COLOR_JITTER_PROBABILITY = 0.4, 0.8
GRAY_PROBABILITY = 0.2
BLUR_PROBABILITY, BLUR_RADIUS_PX = 0.5, (0.1, 2.0)
ERASURES = ((0.7, (0.05, 0.2), (0.3, 3.3)), (0.5, (0.02, 0.2), (0.1, 6.0)), (0.3, (0.02, 0.2), (0.05, 8.0)))
"""Of each patch: its probability, the range of its share of the image, and of its width over its height."""
VIEW_ASPECT = (3 / 4, 4 / 3)
VIEW_ATTEMPTS = 10


def change_appearance(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Color, gray and blur at random, with the probabilities of MoCo v2 (arXiv 2003.04297) and SimSiam, but for hue."""
    jittered, gray, blurred = rng.random(3) < (COLOR_JITTER_PROBABILITY, GRAY_PROBABILITY, BLUR_PROBABILITY)
    if jittered:
        pixels = jitter_color(pixels, rng, COLOR_JITTER)
    if gray:
        pixels = np.repeat((pixels @ GRAY_WEIGHTS + 0.5).astype(np.uint8)[..., None], 3, axis=2)
    if blurred:
        radius = rng.uniform(*BLUR_RADIUS_PX)
        pixels = np.asarray(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(radius)))
    return pixels


def erase_patches(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Up to three patches become gray, with the sizes of Unbiased Teacher (arXiv 2102.09480)."""
    erased = pixels.copy()
    height, width = pixels.shape[:2]
    for probability, share, aspect in ERASURES:
        if rng.random() >= probability:
            continue
        area, ratio = rng.uniform(*share) * width * height, log_uniform(rng, aspect)
        patch = (min(width, round(math.sqrt(area * ratio))), min(height, round(math.sqrt(area / ratio))))
        x, y = (int(rng.integers(0, free + 1)) for free in (width - patch[0], height - patch[1]))
        erased[y : y + patch[1], x : x + patch[0]] = PAD_VALUE
    return erased


def draw_crop(rng: np.random.Generator, image_size: Size, input_size: Size, min_area: float) -> View:
    """A random part of an image, stretched to the whole input: what is called a random resized crop.

    min_area: smallest share of the image, 0..1.
    """
    width, height = image_size
    for _ in range(VIEW_ATTEMPTS):
        area, aspect = rng.uniform(min_area, 1) * width * height, log_uniform(rng, VIEW_ASPECT)
        part = (math.sqrt(area * aspect) / width, math.sqrt(area / aspect) / height)
        if max(part) <= 1:
            break
    else:
        part = (1.0, 1.0)
    left, top = (float(rng.uniform(0, 1 - side)) for side in part)
    region = (left, top, left + part[0], top + part[1])
    return View(region, (0, 0, *input_size), flipped=bool(rng.random() < 0.5))


def log_uniform(rng: np.random.Generator, limits: tuple[float, float]) -> float:
    return float(np.exp(rng.uniform(*np.log(limits))))
