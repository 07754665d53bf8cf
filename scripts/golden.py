"""Rewrites the golden vectors of evaluation with the references it must equal: pycocotools, Pillow and torchvision.

    .venv/bin/python scripts/golden.py                                rewrites test/golden/
    .venv/bin/python scripts/golden.py coco-cases --seed 1 --count 9  prints random evaluations by pycocotools
    .venv/bin/python scripts/golden.py segm-cases --seed 1 --count 9  prints random evaluations of masks
    .venv/bin/python scripts/golden.py mask-cases --seed 1 --count 9  prints random masks by pycocotools
    .venv/bin/python scripts/golden.py annotation-masks gt.json       prints the masks of a COCO file
    .venv/bin/python scripts/golden.py letterbox 256 192 photo.jpg    prints the SHA-256 of each letterboxed photo

The same versions of the references give the same bytes.
"""

import argparse
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

GOLDEN = Path(__file__).parents[1] / "test" / "golden"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command")
    for name in ("coco-cases", "segm-cases", "mask-cases"):
        random_cases = commands.add_parser(name)
        random_cases.add_argument("--seed", type=int, required=True)
        random_cases.add_argument("--count", type=int, required=True)
    commands.add_parser("annotation-masks").add_argument("file")
    box = commands.add_parser("letterbox")
    box.add_argument("width_px", type=int)
    box.add_argument("height_px", type=int)
    box.add_argument("files", nargs="+")
    arguments = parser.parse_args()
    if arguments.command == "coco-cases":
        print_coco_cases(arguments.seed, arguments.count)
    elif arguments.command == "segm-cases":
        print_segm_cases(arguments.seed, arguments.count)
    elif arguments.command == "mask-cases":
        print_mask_cases(arguments.seed, arguments.count)
    elif arguments.command == "annotation-masks":
        print_annotation_masks(arguments.file)
    elif arguments.command == "letterbox":
        print_letterboxes(arguments.files, arguments.width_px, arguments.height_px)
    else:
        rewrite()


# Each command imports only the references that it needs.


def rewrite() -> None:
    from golden_coco import coco_cases
    from golden_detections import detection_cases, detections_model
    from golden_masks import mask_cases
    from golden_resize import resize_cases
    from golden_segm import segm_cases

    GOLDEN.mkdir(parents=True, exist_ok=True)
    write_lines("coco.json", coco_cases(seed=0, count=24))
    write_lines("coco-segm.json", segm_cases(seed=0, count=24))
    write_lines("masks.json", mask_cases(seed=0, count=60))
    write_lines("resize.json", resize_cases())
    write_lines("detections.json", detection_cases())
    (GOLDEN / "detections-model.onnx").write_bytes(detections_model())


def write_lines(name: str, cases: Sequence[dict[str, Any]]) -> None:
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    (GOLDEN / name).write_text(f"[\n{lines}\n]\n")


def print_coco_cases(seed: int, count: int) -> None:
    from golden_coco import coco_cases

    print(json.dumps(coco_cases(seed, count)))


def print_segm_cases(seed: int, count: int) -> None:
    from golden_segm import segm_cases

    print(json.dumps(segm_cases(seed, count)))


def print_mask_cases(seed: int, count: int) -> None:
    from golden_masks import mask_cases

    print(json.dumps(mask_cases(seed, count)))


def print_annotation_masks(file: str) -> None:
    from golden_masks import annotation_masks

    print(json.dumps(annotation_masks(file)))


def print_letterboxes(files: Sequence[str], width_px: int, height_px: int) -> None:
    from golden_resize import letterbox
    from PIL import Image

    for file in files:
        pixels = letterbox(Image.open(file).convert("RGB"), width_px, height_px)
        print(hashlib.sha256(pixels.tobytes()).hexdigest())


if __name__ == "__main__":
    main()
