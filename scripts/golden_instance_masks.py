"""Mask outputs of a model to masks of the image, by numpy and pycocotools, and models whose masks are known.

A case has the outputs of one image: grids of logits over the whole input (`prototypes`, combined by each candidate's
`mask_embeddings`), or over the box of each candidate (`region_masks`), and for each of some detections its candidate,
its class, its box (xyxy, clipped to the image) and the mask of the whole image as COCO's counts string; null for a mask
without any pixel.
"""

import base64
import json
from typing import Any

import numpy as np
from golden_detections import Case, cell_levels, cells_model, colored_cells
from numpy.random import Generator
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from pycocotools import mask as coco_masks

from cassl.v1.task_pb2 import PredictConfig

from cassl_worker.images import Size, letterbox_size
from cassl_worker.proof import proof

Floats = NDArray[np.float64]
INPUT = (64, 48)


def instance_mask_cases() -> list[Case]:
    rng = np.random.default_rng(0)
    cases = [prototype_case(rng, image, grid=(16, 12)) for image in [(64, 48), (200, 150), (31, 64), (5, 90)]]
    cases.append(prototype_case(rng, (90, 40), grid=(1, 3)))
    cases += [region_case(rng, image, classes, side=7) for image, classes in [((64, 48), 1), ((130, 50), 3)]]
    return [*cases, region_case(rng, (40, 77), classes=2, side=1)]


def prototype_case(rng: Generator, image: Size, grid: Size, channels: int = 5) -> Case:
    boxes = random_boxes(rng)
    embeddings = rng.standard_normal((len(boxes), channels)).astype(np.float32)
    prototypes = rng.standard_normal((channels, grid[1], grid[0])).astype(np.float32)
    case = case_of("prototypes", image, boxes)
    case |= {"mask_embeddings": listed(embeddings), "prototypes": listed(prototypes), "grid": list(grid)}
    for detection in case["detections"]:
        at = detection["candidate"]
        mask = prototype_mask(embeddings[at], prototypes, detection["box_xyxy"], image)
        detection["counts"] = counts_of(mask)
    return case


def region_case(rng: Generator, image: Size, classes: int, side: int) -> Case:
    boxes = random_boxes(rng)
    logits = rng.standard_normal((len(boxes), classes, side, side)).astype(np.float32)
    case = case_of("regions", image, boxes)
    case |= {"region_masks": listed(logits), "mask_classes": classes, "side": side}
    for detection in case["detections"]:
        at = detection["candidate"]
        detection["class_index"] = at % classes if classes > 1 else at % 3
        grid = logits[at, detection["class_index"] if classes > 1 else 0]
        detection["counts"] = counts_of(region_mask(grid, boxes[at], detection["box_xyxy"], image))
    return case


def random_boxes(rng: Generator) -> NDArray[np.float32]:
    """(8, 4) xyxy, px of the input; some reach out of it, one is narrower than a pixel of most images."""
    corners = rng.uniform(-8, 48, (8, 2))
    sides = rng.uniform(4, 60, (8, 2))
    sides[0, 0] = 0.01
    return np.concatenate([corners, corners + sides], axis=1).astype(np.float32)


def case_of(kind: str, image: Size, boxes: NDArray[np.float32]) -> Case:
    limits = np.array([*image, *image], dtype=np.float64)
    scaled = boxes.astype(np.float64) * limits / np.tile(letterbox_size(image, INPUT), 2)
    inside = np.clip(scaled, 0, limits).astype(np.float32)
    rows = [(at, box.tolist()) for at, box in enumerate(inside) if (box[2:] > box[:2]).all()]
    return {
        "masks": kind,
        "input": {"width_px": INPUT[0], "height_px": INPUT[1]},
        "image": {"width_px": image[0], "height_px": image[1]},
        "boxes": listed(boxes),
        "detections": [{"candidate": at, "class_index": 0, "box_xyxy": box} for at, box in rows],
    }


def prototype_mask(
    embedding: NDArray[np.float32], prototypes: NDArray[np.float32], box: list[float], image: Size
) -> NDArray[np.uint8]:
    """(H, W) of the image. Products and sums in float64, channel by channel."""
    grid: Floats = np.zeros(prototypes.shape[1:])
    for channel, weight in zip(prototypes.astype(np.float64), embedding.astype(np.float64), strict=True):
        grid = grid + weight * channel
    fit = letterbox_size(image, INPUT)
    u = (np.arange(image[0]) + 0.5) * fit[0] / image[0] * grid.shape[1] / INPUT[0] - 0.5
    v = (np.arange(image[1]) + 0.5) * fit[1] / image[1] * grid.shape[0] / INPUT[1] - 0.5
    return painted(grid, u, v, box)


def region_mask(
    grid: NDArray[np.float32], candidate: NDArray[np.float32], box: list[float], image: Size
) -> NDArray[np.uint8]:
    """candidate: (4,) xyxy, px of the input. Returns (H, W) of the image."""
    scale = np.tile(np.array(image) / np.array(letterbox_size(image, INPUT)), 2)
    left, top, right, bottom = candidate.astype(np.float64) * scale
    u = (np.arange(image[0]) + 0.5 - left) / (right - left) * len(grid) - 0.5
    v = (np.arange(image[1]) + 0.5 - top) / (bottom - top) * len(grid) - 0.5
    return painted(grid.astype(np.float64), u, v, box)


def painted(grid: Floats, u: Floats, v: Floats, box: list[float]) -> NDArray[np.uint8]:
    """Pixels whose centers are in the box and whose logit is above 0. u, v: places of the centers on the grid."""
    column, next_column, across = neighbours(u, grid.shape[1])
    row, next_row, down = neighbours(v, grid.shape[0])
    rows = grid[:, column] * (1 - across) + grid[:, next_column] * across
    logits = rows[row] * (1 - down)[:, None] + rows[next_row] * down[:, None]
    x, y = np.arange(len(u)) + 0.5, np.arange(len(v)) + 0.5
    inside = ((y >= box[1]) & (y < box[3]))[:, None] & ((x >= box[0]) & (x < box[2]))
    return ((logits > 0) & inside).astype(np.uint8)


def neighbours(places: Floats, cells: int) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
    """Cells before and after each place, and how far it is from the one to the other, in [0, 1]."""
    clamped = np.clip(places, 0, cells - 1)
    before = np.minimum(np.floor(clamped).astype(np.int64), max(cells - 2, 0))
    return before, np.minimum(before + 1, cells - 1), clamped - before


def counts_of(mask: NDArray[np.uint8]) -> str | None:
    if not mask.any():
        return None
    return str(coco_masks.encode(np.asfortranarray(mask))["counts"].decode())


def listed(values: NDArray[np.float32]) -> list[float]:
    return [float(value) for value in values.ravel()]


def masked_model(kind: str) -> bytes:
    """The detector of cells, whose masks are where a cell is brighter than half, on a grid of 4x4 px."""
    model, metadata = cells_model()
    metadata |= {"family": "light_segmenter", "masks": kind}
    outputs: dict[str, list[Any]]
    constants: dict[str, NDArray[Any]] = {"half": np.array(0.5, np.float32)}
    nodes = [
        helper.make_node("AveragePool", ["red_blue"], ["quarters"], kernel_shape=[4, 4], strides=[4, 4]),
        helper.make_node("Div", ["quarters", "white"], ["bright"]),
    ]
    if kind == "prototypes":
        nodes += [
            helper.make_node("Sub", ["bright", "half"], ["prototypes"]),
            helper.make_node("Identity", ["scores"], ["mask_embeddings"]),
        ]
        outputs = {"mask_embeddings": ["N", 12, 2], "prototypes": ["N", 2, 12, 16]}
    else:
        constants |= {"tiles": np.array([-1, 2, 3, 4, 4, 4]), "regions": np.array([-1, 12, 2, 4, 4])}
        nodes += [
            helper.make_node("Sub", ["bright", "half"], ["logits"]),
            helper.make_node("Reshape", ["logits", "tiles"], ["tiled"]),
            helper.make_node("Transpose", ["tiled"], ["by_cell"], perm=[0, 2, 4, 1, 3, 5]),
            helper.make_node("Reshape", ["by_cell", "regions"], ["region_masks"]),
        ]
        outputs = {"region_masks": ["N", 12, 2, 4, 4]}
    model.graph.node.extend(nodes)
    model.graph.initializer.extend(numpy_helper.from_array(value, name) for name, value in constants.items())
    model.graph.output.extend(
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in outputs.items()
    )
    by_torch = proof(cell_levels, INPUT, PredictConfig(**metadata["predict"]), colored_cells())
    by_torch["probes"] = [with_masks(probe, kind) for probe in by_torch["probes"]]  # type: ignore[attr-defined]
    helper.set_model_props(model, {"cassl": json.dumps(metadata), "cassl_proof": json.dumps(by_torch)})
    return bytes(model.SerializeToString(deterministic=True))


def with_masks(probe: dict[str, Any], kind: str) -> dict[str, Any]:
    """Of the images of `colored_cells`, which are no larger than the input, or show nothing."""
    rows = np.frombuffer(base64.b64decode(probe["detections"]), dtype="<f4").reshape(-1, 6).astype(np.float64)
    if len(rows) == 0:
        return {**probe, "masks": []}
    pixels = np.asarray(colored_cells()[probe["name"]])[..., [0, 2]].transpose(2, 0, 1)
    masks = []
    for left, top, right, bottom in rows[:, :4].astype(int).tolist():
        box, cell = [left, top, right, bottom], pixels[:, top:bottom, left:right]
        embedding = (cell.mean(axis=(1, 2)) / 255).astype(np.float32)
        if kind == "prototypes":
            masks.append(counts_of(prototype_mask(embedding, quarters(pixels), box, INPUT)))
        else:
            grid = quarters(cell)[embedding.argmax()]
            masks.append(counts_of(region_mask(grid, np.array(box, dtype=np.float32), box, INPUT)))
    return {**probe, "masks": masks}


def quarters(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(C, H, W) to how much brighter than half each 4x4 px are, (C, H / 4, W / 4)."""
    channels, height, width = pixels.shape
    means: Floats = pixels.reshape(channels, height // 4, 4, width // 4, 4).mean(axis=(2, 4))
    return np.asarray(means / 255 - 0.5, dtype=np.float32)
