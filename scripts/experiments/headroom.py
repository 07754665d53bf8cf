"""What pseudo labels can give at best, and what the fine-tune keeps of it: blood cells, 5 labeled photos.

    PYTHONPATH=worker-py:scripts/bench .venv/bin/python scripts/experiments/headroom.py --seeds 1

One warm-up learns the pseudo labels, another the true boxes of the same photos. Both are fine-tuned in the same way.
`kept` then takes boxes and objectness from the warm-up and only the class from the fine-tune: what is lost where the
fine-tune learns both anew. All AP is COCO's, times 100.
"""

import argparse
import contextlib
import io
import json
import random
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from defaults import light, solver
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from torch import Tensor

from cassl.v1.task_pb2 import InitFrom, PredictConfig, TrainTask

from cassl_worker.checkpoint import load_detector
from cassl_worker.data import Annotation, Category, Dataset, ImageRecord
from cassl_worker.detections import Detections, detections_of
from cassl_worker.detectors.fcos import FcosDetector
from cassl_worker.images import decode, letterbox
from cassl_worker.recipe import DetectorRecipe
from cassl_worker.records import Trained
from cassl_worker.train import follow

SET = Path(__file__).parents[3] / "shared/data/bccd"
LABELED, SIZE = 5, (192, 160)
LABELER, WARMUP, FINETUNE = 200, 300, 300
SCORE_THRESHOLD = 0.55
CARRIED = ("backbone", "fpn", "box_tower")
DETECTOR = light(SIZE)
PREDICT = PredictConfig(score_threshold=0.05, nms_iou=0.6, max_candidates=1000, max_detections=100)

Found = dict[int, Detections]
Score = Callable[[FcosDetector, Tensor], tuple[Tensor, Tensor]]
"""Boxes and scores of a batch of images."""


@dataclass(frozen=True)
class Truth:
    """COCO JSON, and what is looked up in it."""

    coco: dict[str, Any]

    @property
    def images(self) -> list[dict[str, Any]]:
        return list(self.coco["images"])

    @cached_property
    def ids(self) -> list[int]:
        """Of the categories, by class index."""
        return sorted(category["id"] for category in self.coco["categories"])

    def annotations(self, image: int, *, classes: bool) -> tuple[Annotation, ...]:
        return tuple(
            Annotation(tuple(one["bbox"]), self.ids.index(one["category_id"]) if classes else 0, one["area"], False)
            for one in self.coco["annotations"]
            if one["image_id"] == image
        )


def main(seeds: int, out: Path | None) -> None:
    train, validation = (
        Truth(json.loads((SET / f"annotations/instances_{name}.json").read_text())) for name in ("train", "val")
    )
    rows = [row for seed in range(seeds) for row in Experiment(seed, train, validation).rows()]
    for row in rows:
        print(row)
    if out is not None:
        out.write_text(json.dumps(rows, indent=1) + "\n")


class Experiment:
    """One seed: it draws the labeled images."""

    def __init__(self, seed: int, train: Truth, validation: Truth) -> None:
        self.seed, self.train, self.validation = seed, train, validation
        images = train.images
        random.Random(seed).shuffle(images)
        self.labeled, self.unlabeled = images[:LABELED], images[LABELED:]
        self.classes = len(train.coco["categories"])

    def rows(self) -> list[dict[str, Any]]:
        """Each {seed, what, ap, class_agnostic_ap}; ap is None where there are no classes."""
        labeler = self.fit(self.known(self.labeled, classes=False), LABELER, self.seed)
        pseudo = self.pseudo_labels(labeler)
        rows = [self.row("pseudo-labeler", labeler), self.row("supervised", self.supervised(), classes=True)]
        for name, dataset in (("pseudo labels", pseudo), ("true boxes", self.known(self.unlabeled, classes=False))):
            warm = self.fit(dataset, WARMUP, self.seed + 1)
            tuned = self.fit(self.known(self.labeled, classes=True), FINETUNE, self.seed + 2, warm)
            rows.append(self.row(f"warm-up on {name}", warm))
            rows.append(self.row(f"fine-tuned from {name}", tuned, classes=True))
            rows.append(self.kept_row(f"kept from {name}", warm, tuned))
        return rows

    def supervised(self) -> Path:
        return self.fit(self.known(self.labeled, classes=True), LABELER + WARMUP + FINETUNE, self.seed)

    def known(self, images: Sequence[dict[str, Any]], *, classes: bool) -> Dataset:
        records = [record(image, self.train.annotations(image["id"], classes=classes)) for image in images]
        return dataset_of(records, self.classes if classes else 1)

    def pseudo_labels(self, labeler: Path) -> Dataset:
        found = self.find(self.unlabeled, labeler, 1, scores_of)
        records = []
        for image in self.unlabeled:
            one = found[image["id"]]
            kept = one.boxes[one.scores >= SCORE_THRESHOLD].tolist()
            boxes = [(x0, y0, x1 - x0, y1 - y0) for x0, y0, x1, y1 in kept]
            records.append(record(image, tuple(Annotation(box, 0, box[2] * box[3], False) for box in boxes)))
        return dataset_of(records, 1)

    def fit(self, dataset: Dataset, iterations: int, seed: int, start: Path | None = None) -> Path:
        task = TrainTask(detector=DETECTOR, solver=solver(iterations, images_per_batch=4), dataset="", seed=seed)
        if start is not None:
            task.init_from.CopyFrom(InitFrom(weights="", carry=CARRIED, class_predictor="reinitialize"))
        scratch = Path(tempfile.mkdtemp())
        recipe = DetectorRecipe(task, dataset, torch.device("cpu"), scratch, start)
        (weights,) = (
            event.weights for event in follow(recipe, scratch=scratch, resume_from=None) if isinstance(event, Trained)
        )
        return weights

    def row(self, what: str, weights: Path, *, classes: bool = False) -> dict[str, Any]:
        found = self.find(self.validation.images, weights, self.classes if classes else 1, scores_of)
        return self.measured(what, found, classes=classes)

    def kept_row(self, what: str, warm: Path, tuned: Path) -> dict[str, Any]:
        """Boxes and objectness of the warm-up, and of the fine-tune only which class an object has."""
        classifier = load(tuned, self.classes)

        def scores(detector: FcosDetector, images: Tensor) -> tuple[Tensor, Tensor]:
            boxes, objectness = detector.dense(images)
            logits = classifier.head_outputs(images)["cls_logits"]
            return boxes, objectness * torch.softmax(logits, dim=-1)

        return self.measured(what, self.find(self.validation.images, warm, 1, scores), classes=True)

    @torch.inference_mode()
    def find(self, images: Sequence[dict[str, Any]], weights: Path, classes: int, scores: Score) -> Found:
        detector, found = load(weights, classes), dict[int, Detections]()
        for image in images:
            pixels = letterbox(decode(record(image, ()), SET / "images", None), SIZE)
            boxes, score = scores(detector, torch.from_numpy(np.stack([pixels])))
            size = (image["width"], image["height"])
            found[image["id"]] = detections_of([boxes[0], score[0]], None, size, SIZE, PREDICT)
        return found

    def measured(self, what: str, found: Found, *, classes: bool) -> dict[str, Any]:
        agnostic = average_precision(self.validation, found, classes=False)
        ap = average_precision(self.validation, found, classes=True) if classes else None
        return {"seed": self.seed, "what": what, "ap": ap, "class_agnostic_ap": agnostic}


def scores_of(detector: FcosDetector, images: Tensor) -> tuple[Tensor, Tensor]:
    boxes, scores = detector.dense(images)
    return boxes, scores


def load(weights: Path, classes: int) -> FcosDetector:
    detector = load_detector(DETECTOR, classes, weights)
    assert isinstance(detector, FcosDetector)
    return detector


def record(image: dict[str, Any], annotations: tuple[Annotation, ...]) -> ImageRecord:
    return ImageRecord(image["id"], image["file_name"], "", image["width"], image["height"], annotations)


def dataset_of(records: Sequence[ImageRecord], classes: int) -> Dataset:
    categories = tuple(Category(at + 1, str(at)) for at in range(classes))
    return Dataset(categories, tuple(records), SET / "images")


def average_precision(truth: Truth, found: Found, *, classes: bool) -> float:
    """Times 100, with one decimal."""
    results = [
        {"image_id": image, "category_id": truth.ids[label], "bbox": [x0, y0, x1 - x0, y1 - y0], "score": score}
        for image, one in found.items()
        for (x0, y0, x1, y1), score, label in zip(
            one.boxes.tolist(), one.scores.tolist(), one.classes.tolist(), strict=True
        )
    ]
    with contextlib.redirect_stdout(io.StringIO()):
        known = COCO()
        known.dataset = truth.coco
        known.createIndex()
        evaluation = COCOeval(known, known.loadRes(results), "bbox")
        evaluation.params.useCats = int(classes)
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return round(100 * float(evaluation.stats[0]), 1)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--out", type=Path)
    main(**vars(parser.parse_args()))
