"""What `npm run bench -- onnx` compares with: onnxruntime and Pillow in Python, on the same images and two cores.

    onnx_reference.py prepare FOLDER COUNT   writes images and model.onnx
    onnx_reference.py run FOLDER             prints {"seconds", "peak_mb", "images", "detections"} as JSON

As such a script is mostly written: a pool of threads decodes and resizes, the session has both cores, detections are
chosen by torchvision's batched NMS. Timed from the second batch on.
"""

import json
import sys
import time
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from coco_reference import peak_mb
from defaults import light
from numpy.typing import NDArray
from pictures import write_pictures
from PIL import Image
from torchvision.ops import batched_nms

from cassl.v1.task_pb2 import ExportTask, PredictConfig

from cassl_worker.checkpoint import Weights, save_weights, state_of
from cassl_worker.data import Category
from cassl_worker.detectors import build_detector
from cassl_worker.export import export_onnx

INPUT = (256, 192)
IMAGES_PER_BATCH, BATCHES_AHEAD, THREADS = 4, 4, 2
PREDICT = PredictConfig(score_threshold=0.05, nms_iou=0.6, max_candidates=1000, max_detections=100)


def prepare(folder: Path, count: int) -> None:
    """Pictures, and the preset `light` with an untrained head."""
    write_pictures(folder, count)
    torch.manual_seed(0)
    config = light(INPUT)
    save_weights(folder / "weights", Weights("light", 1, state_of(build_detector(config, 1))))
    task = ExportTask(detector=config, predict=PREDICT)
    export_onnx(task, [Category(1, "object")], weights=folder / "weights", out=folder / "model.onnx")


def run(folder: Path) -> None:
    paths = sorted(folder.glob("*.jpg"))
    batches = [paths[at : at + IMAGES_PER_BATCH] for at in range(0, len(paths), IMAGES_PER_BATCH)]
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    session = onnxruntime.InferenceSession(folder / "model.onnx", options, providers=["CPUExecutionProvider"])
    since, found = 0.0, 0
    with ThreadPoolExecutor(THREADS) as pool:
        pending = deque[Future[NDArray[np.uint8]]]()
        for number in range(len(batches)):
            while len(pending) <= BATCHES_AHEAD and number + len(pending) < len(batches):
                pending.append(pool.submit(load, batches[number + len(pending)]))
            if number == 1:
                since = time.monotonic()
            boxes, scores = session.run(["boxes", "scores"], {"images": pending.popleft().result()})
            found += sum(chosen(*image) for image in zip(boxes, scores, strict=True))
    seconds, images = time.monotonic() - since, len(paths) - IMAGES_PER_BATCH
    print(json.dumps({"seconds": seconds, "peak_mb": peak_mb(), "images": images, "detections": found}))


def load(paths: list[Path]) -> NDArray[np.uint8]:
    return np.stack([letterboxed(path) for path in paths])


def letterboxed(path: Path) -> NDArray[np.uint8]:
    """The whole image at the top left of an input, gray elsewhere."""
    with Image.open(path) as image:
        scale = min(INPUT[0] / image.width, INPUT[1] / image.height)
        size = round(image.width * scale), round(image.height * scale)
        shown = image.convert("RGB").resize(size, Image.Resampling.BILINEAR)
    canvas = Image.new("RGB", INPUT, (127, 127, 127))
    canvas.paste(shown)
    return np.asarray(canvas)


def chosen(boxes: NDArray[np.float32], scores: NDArray[np.float32]) -> int:
    """How many detections an image has."""
    flat = torch.from_numpy(scores.ravel())
    best, order = flat[flat >= PREDICT.score_threshold].sort(descending=True)
    order = torch.where(flat >= PREDICT.score_threshold)[0][order][: PREDICT.max_candidates]
    places, classes = order // scores.shape[1], order % scores.shape[1]
    kept = batched_nms(torch.from_numpy(boxes)[places], best[: PREDICT.max_candidates], classes, PREDICT.nms_iou)
    return len(kept[: PREDICT.max_detections])


if __name__ == "__main__":
    if sys.argv[1] == "prepare":
        prepare(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        run(Path(sys.argv[2]))
