"""Evaluates a results file with a reference and prints one JSON line about it, for `npm run bench -- coco`.

.venv/bin/python scripts/bench/coco_reference.py hotcoco bbox gt.json dt.json
"""

import contextlib
import importlib
import io
import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

CLASSES = {
    "pycocotools": ("pycocotools.coco:COCO", "pycocotools.cocoeval:COCOeval"),
    "ultrafast-pycocotools": ("ultrafast_pycocotools.coco:COCO", "ultrafast_pycocotools.cocoeval:COCOeval"),
    "hotcoco": ("hotcoco:COCO", "hotcoco:COCOeval"),
    "faster-coco-eval": ("faster_coco_eval:COCO", "faster_coco_eval:COCOeval_faster"),
}


def main() -> None:
    name, iou_type, gt, dt = sys.argv[1:]
    coco_class, evaluation_class = (load(path) for path in CLASSES[name])
    start, cpu_start = time.perf_counter(), time.process_time()
    with contextlib.redirect_stdout(io.StringIO()):
        ground_truth = coco_class(gt)
        evaluation = evaluation_class(ground_truth, ground_truth.loadRes(dt), iou_type)
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - cpu_start
    stats = [float(value) for value in evaluation.stats[:12]]
    print(json.dumps({"seconds": seconds, "cpu_seconds": cpu_seconds, "peak_mb": peak_mb(), "stats": stats}))


def load(path: str) -> Any:
    module, name = path.split(":")
    return getattr(importlib.import_module(module), name)


def peak_mb() -> float:
    """Not ru_maxrss where there is another way: it starts from the peak of the process that started this one."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return int(status.read_text().split("VmHWM:")[1].split()[0]) / 1024


if __name__ == "__main__":
    main()
