"""What `npm run bench -- labelling` compares with: the same images through the same model in a bare loop.

    labelling_reference.py prepare FOLDER COUNT   writes images, their manifest, weights and the task
    labelling_reference.py loop FOLDER            prints {"images_per_second", "seconds", "peak_mb"} as JSON

The loop decodes in the background as the worker does, and selects detections; it sends and stores nothing.
"""

import hashlib
import json
import sys
import time
from pathlib import Path

import torch
from coco_reference import peak_mb
from google.protobuf.json_format import MessageToJson, Parse
from pictures import HEIGHT_PX, WIDTH_PX, write_pictures

from cassl.v1.task_pb2 import DetectorConfig, PredictConfig, PredictTask

from cassl_worker.checkpoint import Weights, save_weights, state_of
from cassl_worker.data import read_dataset
from cassl_worker.detectors import build_detector
from cassl_worker.device import pick_device
from cassl_worker.predict import predict

CATEGORY = {"id": 1, "name": "object"}


def prepare(folder: Path, count: int) -> None:
    lines = []
    for at, path in enumerate(write_pictures(folder, count)):
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        size = {"width_px": WIDTH_PX, "height_px": HEIGHT_PX}
        lines.append({"id": at + 1, "file_name": path.name, "sha256": digest, **size, "annotations": []})
    header = {"cassl": "dataset", "version": 1, "categories": [CATEGORY], "image_count": count}
    (folder / "manifest.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in (header, *lines)))
    torch.manual_seed(0)
    config = detector_config()
    save_weights(folder / "weights", Weights(config.family, 1, state_of(build_detector(config, 1))))
    hashes = [hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in ("manifest.jsonl", "weights")]
    task = PredictTask(detector=config, weights=hashes[1], class_count=1, dataset=hashes[0], predict=predict_config())
    (folder / "task.json").write_text(MessageToJson(task))


def detector_config() -> DetectorConfig:
    return DetectorConfig(
        family="light",
        backbone="tf_efficientnet_lite0",
        backbone_weights="none",
        input_width_px=320,
        input_height_px=256,
        fpn_channels=64,
        head_convolutions=2,
        strides_px=[8, 16, 32, 64],
    )


def predict_config() -> PredictConfig:
    """A threshold of 0 gives every image all the boxes that it may have: the most that there can be to send."""
    return PredictConfig(
        score_threshold=0, nms_iou=0.6, max_candidates=1000, max_detections=100, images_per_batch=16, shard_size=16
    )


def loop(folder: Path) -> None:
    """Timed from the end of the first shard, when everything is warm."""
    task = Parse((folder / "task.json").read_text(), PredictTask())
    dataset = read_dataset(folder / "manifest.jsonl", folder)
    shards = range(len(dataset.images) // task.predict.shard_size)
    done, since = 0, 0.0
    for shard in predict(task, dataset, weights=folder / "weights", device=pick_device(), shards=shards):
        if since > 0:
            done += shard.image_count
        else:
            since = time.monotonic()
    seconds = time.monotonic() - since
    print(json.dumps({"images_per_second": done / seconds, "seconds": seconds, "peak_mb": peak_mb()}))


if __name__ == "__main__":
    if sys.argv[1] == "prepare":
        prepare(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        loop(Path(sys.argv[2]))
