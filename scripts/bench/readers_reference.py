"""Reads an annotation file with pycocotools and prints one JSON line about it, for `npm run bench -- readers`.

.venv/bin/python scripts/bench/readers_reference.py gt.json
"""

import contextlib
import io
import json
import sys
import time

from coco_reference import peak_mb
from pycocotools.coco import COCO


def main() -> None:
    start, cpu_start = time.perf_counter(), time.process_time()
    with contextlib.redirect_stdout(io.StringIO()):
        ground_truth = COCO(sys.argv[1])
    seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - cpu_start
    figures = {
        "seconds": seconds,
        "cpu_seconds": cpu_seconds,
        "peak_mb": peak_mb(),
        "annotations": len(ground_truth.anns),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
