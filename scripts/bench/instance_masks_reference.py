"""Makes the masks of one image again and again, by torch and pycocotools, for `npm run bench -- instance-masks`.

.venv/bin/python scripts/bench/instance_masks_reference.py outputs.f32 prototypes
"""

import json
import statistics
import sys
import time

import numpy as np
import torch
from coco_reference import peak_mb
from pycocotools import mask as coco_masks
from torch import Tensor
from torchvision.models.detection.roi_heads import paste_masks_in_image

REPEATS = 20


def main() -> None:
    torch.set_num_threads(1)
    numbers = torch.from_numpy(np.fromfile(sys.argv[1], dtype=np.float32))
    boxes, embeddings, prototypes, regions = torch.split(numbers, [400, 3200, 32 * 160 * 160, 100 * 28 * 28])
    boxes = boxes.reshape(100, 4)

    def decode() -> Tensor:
        if sys.argv[2] == "prototypes":
            return of_prototypes(boxes, embeddings.reshape(100, 32), prototypes.reshape(32, 160, 160))
        # It pads with 0 and compares with 0.5: probabilities.
        pasted: Tensor = paste_masks_in_image(regions.reshape(100, 1, 28, 28).sigmoid(), boxes, (480, 640))
        return pasted[:, 0] > 0.5

    seconds = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        masks = decode()
        coco_masks.encode(np.asfortranarray(masks.permute(1, 2, 0).numpy().astype(np.uint8)))
        seconds.append(time.perf_counter() - start)
    figures = {"seconds": statistics.median(seconds), "peak_mb": peak_mb(), "pixels": int(decode().sum())}
    print(json.dumps(figures))


def of_prototypes(boxes: Tensor, embeddings: Tensor, prototypes: Tensor) -> Tensor:
    """(100, 480, 640), as YOLACT does: all grids resized, then cut at the boxes."""
    grids = (embeddings @ prototypes.flatten(1)).reshape(1, 100, 160, 160)
    logits = torch.nn.functional.interpolate(grids, (640, 640), mode="bilinear")[0, :, :480]
    x, y = torch.arange(640) + 0.5, torch.arange(480) + 0.5
    left, top, right, bottom = boxes.T[:, :, None]
    columns, rows = (x >= left) & (x < right), (y >= top) & (y < bottom)
    inside: Tensor = (logits > 0) & rows[:, :, None] & columns[:, None, :]
    return inside


if __name__ == "__main__":
    main()
