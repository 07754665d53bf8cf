"""The pixels that the TypeScript side is tested with are what Pillow and the worker's letterbox give."""

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from cassl_worker.images import letterbox

CASES: list[dict[str, Any]] = json.loads((Path(__file__).parents[1] / "golden" / "resize.json").read_text())


def name_of(case: dict[str, Any]) -> str:
    return "{kind}-{width_px}x{height_px}-{to_width_px}x{to_height_px}".format(**case)


@pytest.mark.parametrize("case", CASES, ids=[name_of(case) for case in CASES])
def test_the_golden_pixels_come_out(case: dict[str, Any]) -> None:
    image = Image.fromarray(pixels_of(case["pixels"], case["width_px"], case["height_px"]))
    size = (case["to_width_px"], case["to_height_px"])
    resized = image.resize(size, Image.Resampling.BILINEAR) if case["kind"] == "resize" else letterbox(image, size)
    np.testing.assert_array_equal(np.asarray(resized), pixels_of(case["expected"], *size))


def pixels_of(text: str, width: int, height: int) -> NDArray[np.uint8]:
    return np.frombuffer(base64.b64decode(text), dtype=np.uint8).reshape(height, width, 3)
