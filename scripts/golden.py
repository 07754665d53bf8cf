"""Rewrites the golden vectors with the references that evaluation, labels and errors on the wire must equal.

    .venv/bin/python scripts/golden.py                                     rewrites test/golden/ but for what follows
    .venv/bin/python scripts/golden.py diagnosis gt.json dt.json           rewrites what tidecv and lvis make, see below
    .venv/bin/python scripts/golden.py labels                              rewrites labels.json, see below
    .venv/bin/python scripts/golden.py coco-cases --seed 1 --count 9       prints random evaluations by pycocotools
    .venv/bin/python scripts/golden.py match-cases --seed 1 --count 9      prints random matches by pycocotools
    .venv/bin/python scripts/golden.py segm-cases --seed 1 --count 9       prints random evaluations of masks
    .venv/bin/python scripts/golden.py segm-match-cases --seed 1 --count 9 prints random matches of masks
    .venv/bin/python scripts/golden.py mask-cases --seed 1 --count 9       prints random masks by pycocotools
    .venv/bin/python scripts/golden.py annotation-masks gt.json            prints the masks of a COCO file
    .venv/bin/python scripts/golden.py letterbox 256 192 photo.jpg         prints the SHA-256 of each letterboxed photo

The same versions of the references give the same bytes. tidecv and lvis bring opencv, pandas and more, and so are not
installed with the others; install tidecv==1.0.1 and lvis==0.5.3 to make their vectors anew, from the ground truth and
detections of boxes that come with the COCO API. Nor is ensemble-boxes; `pip install --no-deps ensemble-boxes==1.0.9`.
"""

import argparse
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

Cases = list[dict[str, Any]]

GOLDEN = Path(__file__).parents[1] / "test" / "golden"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command")
    for name in RANDOM_CASES:
        cases = commands.add_parser(name)
        cases.add_argument("--seed", type=int, required=True)
        cases.add_argument("--count", type=int, required=True)
    commands.add_parser("annotation-masks").add_argument("file")
    commands.add_parser("labels")
    diagnosis = commands.add_parser("diagnosis")
    diagnosis.add_argument("gt", type=Path)
    diagnosis.add_argument("dt", type=Path)
    box = commands.add_parser("letterbox")
    box.add_argument("width_px", type=int)
    box.add_argument("height_px", type=int)
    box.add_argument("files", nargs="+")
    arguments = parser.parse_args()
    if arguments.command in RANDOM_CASES:
        print(json.dumps(RANDOM_CASES[arguments.command](arguments.seed, arguments.count)))
    elif arguments.command == "annotation-masks":
        print_annotation_masks(arguments.file)
    elif arguments.command == "labels":
        rewrite_labels()
    elif arguments.command == "diagnosis":
        rewrite_diagnosis(arguments.gt, arguments.dt)
    elif arguments.command == "letterbox":
        print_letterboxes(arguments.files, arguments.width_px, arguments.height_px)
    else:
        rewrite()


# Each command imports only the references that it needs.


def rewrite() -> None:
    from golden_coco import coco_cases
    from golden_detections import detection_cases, detections_model
    from golden_instance_masks import instance_mask_cases, masked_model
    from golden_masks import mask_cases
    from golden_resize import resize_cases
    from golden_segm import segm_cases
    from golden_status import status_cases

    GOLDEN.mkdir(parents=True, exist_ok=True)
    write_lines("coco.json", coco_cases(seed=0, count=24))
    write_lines("coco-segm.json", segm_cases(seed=0, count=24))
    write_lines("masks.json", mask_cases(seed=0, count=60))
    write_lines("resize.json", resize_cases())
    write_lines("detections.json", detection_cases())
    write_lines("status.json", status_cases())
    (GOLDEN / "detections-model.onnx").write_bytes(detections_model())
    write_lines("instance-masks.json", instance_mask_cases())
    for kind in ["prototypes", "regions"]:
        (GOLDEN / f"{kind}-model.onnx").write_bytes(masked_model(kind))


def rewrite_diagnosis(gt: Path, dt: Path) -> None:
    try:
        from golden_lvis import lvis_cases
        from golden_tide import tide_cases, tide_of_files
    except ModuleNotFoundError as error:
        raise SystemExit(f"{error}. Install tidecv==1.0.1 and lvis==0.5.3.") from error
    write_lines("lvis.json", lvis_cases(seed=0, count=40))
    write_lines("tide.json", tide_cases(seed=0, count=12))
    write_lines("tide-coco-api.json", [tide_of_files(gt, dt)])


def rewrite_labels() -> None:
    from golden_labels import label_cases

    write_lines("labels.json", label_cases(seed=0))


def write_lines(name: str, cases: Sequence[dict[str, Any]]) -> None:
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    (GOLDEN / name).write_text(f"[\n{lines}\n]\n")


def random_coco_cases(seed: int, count: int) -> Cases:
    from golden_coco import coco_cases

    return coco_cases(seed, count)


def random_match_cases(seed: int, count: int) -> Cases:
    from golden_coco import match_cases

    return match_cases(seed, count)


def random_segm_cases(seed: int, count: int) -> Cases:
    from golden_segm import segm_cases

    return segm_cases(seed, count)


def random_segm_match_cases(seed: int, count: int) -> Cases:
    from golden_segm import segm_match_cases

    return segm_match_cases(seed, count)


def random_mask_cases(seed: int, count: int) -> Cases:
    from golden_masks import mask_cases

    return mask_cases(seed, count)


RANDOM_CASES = {
    "coco-cases": random_coco_cases,
    "match-cases": random_match_cases,
    "segm-cases": random_segm_cases,
    "segm-match-cases": random_segm_match_cases,
    "mask-cases": random_mask_cases,
}


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
