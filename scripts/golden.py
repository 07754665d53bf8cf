"""Rewrites the golden vectors of evaluation with the references it must equal.

    .venv/bin/python scripts/golden.py                                 rewrites test/golden/
    .venv/bin/python scripts/golden.py coco-cases --seed 1 --count 9   prints random evaluations by pycocotools
    .venv/bin/python scripts/golden.py match-cases --seed 1 --count 9  prints random matches by pycocotools
    .venv/bin/python scripts/golden.py tide-cases --seed 1 --count 9   prints random error splits by tidecv
    .venv/bin/python scripts/golden.py lvis-cases --seed 1 --count 9   prints random federated evaluations by lvis
    .venv/bin/python scripts/golden.py tide gt.json dt.json            prints the error split of files by tidecv
    .venv/bin/python scripts/golden.py letterbox 256 192 photo.jpg     prints the SHA-256 of each letterboxed photo

The same versions of the references give the same bytes.
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
    tide = commands.add_parser("tide")
    tide.add_argument("gt")
    tide.add_argument("dt")
    box = commands.add_parser("letterbox")
    box.add_argument("width_px", type=int)
    box.add_argument("height_px", type=int)
    box.add_argument("files", nargs="+")
    arguments = parser.parse_args()
    if arguments.command in RANDOM_CASES:
        print(json.dumps(RANDOM_CASES[arguments.command](arguments.seed, arguments.count)))
    elif arguments.command == "tide":
        print_tide(arguments.gt, arguments.dt)
    elif arguments.command == "letterbox":
        print_letterboxes(arguments.files, arguments.width_px, arguments.height_px)
    else:
        rewrite()


# Each command imports only the references that it needs.


def rewrite() -> None:
    from golden_coco import coco_cases
    from golden_detections import detection_cases, detections_model
    from golden_lvis import lvis_cases
    from golden_resize import resize_cases
    from golden_tide import tide_cases

    GOLDEN.mkdir(parents=True, exist_ok=True)
    write_lines("coco.json", coco_cases(seed=0, count=24))
    write_lines("tide.json", tide_cases(seed=0, count=6))
    write_lines("lvis.json", lvis_cases(seed=0, count=6))
    write_lines("resize.json", resize_cases())
    write_lines("detections.json", detection_cases())
    (GOLDEN / "detections-model.onnx").write_bytes(detections_model())


def write_lines(name: str, cases: Sequence[dict[str, Any]]) -> None:
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    (GOLDEN / name).write_text(f"[\n{lines}\n]\n")


def random_coco_cases(seed: int, count: int) -> Cases:
    from golden_coco import coco_cases

    return coco_cases(seed, count)


def random_match_cases(seed: int, count: int) -> Cases:
    from golden_coco import match_cases

    return match_cases(seed, count)


def random_tide_cases(seed: int, count: int) -> Cases:
    from golden_tide import tide_cases

    return tide_cases(seed, count)


def random_lvis_cases(seed: int, count: int) -> Cases:
    from golden_lvis import lvis_cases

    return lvis_cases(seed, count)


RANDOM_CASES = {
    "coco-cases": random_coco_cases,
    "match-cases": random_match_cases,
    "tide-cases": random_tide_cases,
    "lvis-cases": random_lvis_cases,
}


def print_tide(gt: str, dt: str) -> None:
    from golden_tide import tide_reference

    ground_truth = json.loads(Path(gt).read_text())
    print(json.dumps(tide_reference(ground_truth["annotations"], json.loads(Path(dt).read_text()))))


def print_letterboxes(files: Sequence[str], width_px: int, height_px: int) -> None:
    from golden_resize import letterbox
    from PIL import Image

    for file in files:
        pixels = letterbox(Image.open(file).convert("RGB"), width_px, height_px)
        print(hashlib.sha256(pixels.tobytes()).hexdigest())


if __name__ == "__main__":
    main()
