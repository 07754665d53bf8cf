"""What torch gives for a few made-up images, for an exported file to carry.

Whoever runs the file can check that it gives the same.
"""

import base64
import io
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from torch import Tensor

from cassl.v1.task_pb2 import PredictConfig

from cassl_worker.detections import Detections, detections_of
from cassl_worker.detectors.interface import MaskForm
from cassl_worker.images import Size, letterbox

CANDIDATES = 50
"""The best candidates of an image are kept."""
OBJECT_COLORS = ((220, 40, 40), (40, 90, 220), (240, 240, 230), (30, 30, 30))

DenseOutput = Callable[[Tensor], Sequence[Tensor]]
"""Images (N, H, W, 3) uint8 to boxes (N, L, 4), scores (N, L, K) and perhaps masks; see Detector.dense."""


def probe_images() -> Mapping[str, Image.Image]:
    """Ordinary images and odd ones. Textures keep candidates from scoring exactly the same."""
    return {
        "objects": with_objects(texture((160, 120), seed=0), count=6),
        "more objects": with_objects(texture((320, 240), seed=1, grain=1), count=9),
        "no object": texture((96, 72), seed=2),
        "tall": with_objects(texture((60, 160), seed=3), count=3),
        "very wide": texture((320, 8), seed=4),
        "one pixel wide": texture((1, 64), seed=5),
    }


def texture(size: Size, seed: int, grain: int = 12) -> Image.Image:
    """A smooth gradient with noise of a few levels."""
    width, height = size
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    gradient = np.stack([90 + 80 * x / width, 100 + 60 * y / height, 140 - 50 * x / width], axis=-1)
    return Image.fromarray((gradient + rng.integers(-grain, grain + 1, gradient.shape)).astype(np.uint8))


def with_objects(image: Image.Image, count: int) -> Image.Image:
    """The image with that many rectangles and ellipses."""
    rng, draw = np.random.default_rng(count), ImageDraw.Draw(image)
    for number in range(count):
        width, height = (int(rng.integers(side // 10, side // 3)) for side in image.size)
        x, y = int(rng.integers(0, image.width - width)), int(rng.integers(0, image.height - height))
        shape = draw.rectangle if number % 2 == 0 else draw.ellipse
        shape((x, y, x + width, y + height), fill=OBJECT_COLORS[number % len(OBJECT_COLORS)])
    return image


@torch.inference_mode()
def proof(
    dense: DenseOutput,
    input_size: Size,
    config: PredictConfig,
    images: Mapping[str, Image.Image],
    masks: MaskForm | None = None,
) -> dict[str, object]:
    """JSON, read by ts/evaluation/onnx/proof.ts: each image as a PNG file, its best candidates and its detections,
    with their masks if the dense output has a form of masks.

    Arrays are base64 of little-endian float32.
    """
    probes = []
    for name, image in images.items():
        outputs = dense(torch.from_numpy(letterbox(image, input_size))[None])
        of_image = [output[0] for output in outputs]
        found = detections_of(of_image, masks, image.size, input_size, config)
        probes.append({"name": name, "png": png(image), **best_candidates(*of_image[:2]), **as_json(found)})
    return {"version": 1, "probes": probes}


def best_candidates(boxes: Tensor, scores: Tensor) -> dict[str, object]:
    best = scores.amax(dim=1).topk(min(CANDIDATES, len(scores))).indices
    return {"boxes": encoded(boxes[best].numpy()), "scores": encoded(scores[best].numpy())}


def as_json(found: Detections) -> dict[str, object]:
    rows = np.concatenate([found.boxes, found.scores[:, None], found.classes[:, None].astype(np.float32)], axis=1)
    masks = {} if found.masks is None else {"masks": [mask.decode() for mask in found.masks]}
    return {"detections": encoded(rows), **masks}


def png(image: Image.Image) -> str:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


def encoded(values: NDArray[np.float32]) -> str:
    return base64.b64encode(values.astype("<f4").tobytes()).decode()
