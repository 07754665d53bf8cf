"""Image files to network inputs of one size, and boxes with them.

An input shows a part of the image (the view) in a rectangle and is gray elsewhere. Without augmentation that is the
letterbox: the whole image, as large as it fits, at the top left.
"""

import math
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cassl_worker.data import ImageRecord
from cassl_worker.errors import CasslError
from cassl_worker.masks import sample
from cassl_worker.remote_images import ImageCache, is_uri

PAD_VALUE = 127

Pixels = NDArray[np.uint8]
"""(height, width, 3) RGB."""
Boxes = NDArray[np.float32]
"""(M, 4) xyxy."""
Size = tuple[int, int]
"""(width, height) in px."""

Item = TypeVar("Item")
Loaded = TypeVar("Loaded")


@dataclass(frozen=True)
class View:
    """Which part of an image an input shows, and where.

    Attributes:
        region: left, top, right, bottom as fractions of the image.
        place: x, y, width, height in input px.
        flipped: whether left and right are exchanged.
    """

    region: tuple[float, float, float, float]
    place: tuple[int, int, int, int]
    flipped: bool = False


def decode(
    record: ImageRecord, root: Path, remote: ImageCache | None = None, enough: Size | None = None
) -> Image.Image:
    """The image in RGB, without applying EXIF orientation.

    IMAGE_INVALID if that fails; IMAGE_UNREACHABLE if a remote one cannot be had.

    root, remote: as in `Dataset`.
    enough: a JPEG file may be decoded to a fraction of its size that is no smaller than this, which is much faster.
    """
    try:
        with Image.open(source_of(record, root, remote)) as image:
            if image.size != (record.width_px, record.height_px):
                raise ValueError(f"it has the size {image.size}, not {(record.width_px, record.height_px)}")
            if enough is not None:
                image.draft("RGB", enough)
            return image.convert("RGB")
    except CasslError:
        raise
    except Exception as error:  # Pillow's decoders raise all kinds.
        raise CasslError(
            "IMAGE_INVALID",
            f"{record.file_name} cannot be decoded: {error}.",
            "Replace the image, or set `data.bad_images: drop`.",
        ) from error


def source_of(record: ImageRecord, root: Path, remote: ImageCache | None) -> Path | BytesIO:
    if not is_uri(record.file_name):
        return root / record.file_name
    if remote is None:
        raise ValueError("it is not on this machine, and there is no folder to keep it in")
    return BytesIO(remote.read(record.file_name, record.sha256))


def letterbox_size(image_size: Size, input_size: Size) -> Size:
    """The size to which the image is scaled so that it just fits into the input."""
    scale = min(input_size[0] / image_size[0], input_size[1] / image_size[1])
    width, height = (max(1, math.floor(side * scale + 0.5)) for side in image_size)
    return width, height


def letterbox(image: Image.Image, input_size: Size) -> Pixels:
    """The whole image at the top left of an input, as large as it fits."""
    width, height = letterbox_size(image.size, input_size)
    return place_on_canvas(view_pixels(image, View((0, 0, 1, 1), (0, 0, width, height))), (0, 0), input_size)


def view_pixels(image: Image.Image, view: View) -> Pixels:
    """What the view shows: (height, width, 3) of its place."""
    left, top, right, bottom = view.region
    box = (left * image.width, top * image.height, right * image.width, bottom * image.height)
    shown = image.resize(view.place[2:], Image.Resampling.BILINEAR, box)
    return np.asarray(shown.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if view.flipped else shown)


def place_on_canvas(pixels: Pixels, at: tuple[int, int], input_size: Size) -> Pixels:
    """An input, gray but for `pixels` with their top left corner at (x, y)."""
    width, height = input_size
    canvas = np.full((height, width, 3), PAD_VALUE, dtype=np.uint8)
    x, y = at
    canvas[y : y + pixels.shape[0], x : x + pixels.shape[1]] = pixels
    return canvas


def view_boxes(boxes: Boxes, image_size: Size, view: View) -> Boxes:
    """Boxes in px of the image to px of the input, not clipped."""
    left, top, right, bottom = view.region
    x, y, width, height = view.place
    shown = (boxes / box_of(*image_size) - box_of(left, top)) / box_of(right - left, bottom - top)
    if view.flipped:
        shown[:, [0, 2]] = 1 - shown[:, [2, 0]]
    moved: Boxes = shown * box_of(width, height) + box_of(x, y)
    return moved


def view_masks(masks: Sequence[bytes | None], image_size: Size, view: View, input_size: Size) -> NDArray[np.bool_]:
    """Masks of the image in px of the input: what they say at the center of each pixel.

    masks: (M,) in COCO's compressed form. Returns (M, height, width).
    """
    left, top, right, bottom = view.region
    x, y, width, height = view.place
    columns = centers(left, right, width, image_size[0])
    rows = centers(top, bottom, height, image_size[1])
    shown = np.zeros((len(masks), input_size[1], input_size[0]), dtype=np.bool_)
    for at, counts in enumerate(masks):
        assert counts is not None
        inside = sample(counts, image_size, columns, rows)
        shown[at, y : y + height, x : x + width] = inside[:, ::-1] if view.flipped else inside
    return shown


def centers(start: float, end: float, count: int, side: int) -> NDArray[np.int64]:
    """The pixels, of `side` in all, in which the centers of `count` equal parts of start..end (fractions) lie."""
    places = start + (np.arange(count) + 0.5) / count * (end - start)
    pixels: NDArray[np.int64] = np.clip(np.floor(places * side), 0, side - 1).astype(np.int64)
    return pixels


def box_of(x: float, y: float) -> Boxes:
    """(1, 4): x and y as both corners, for arithmetic on boxes."""
    return np.array([[x, y, x, y]], dtype=np.float32)


def prefetch(load: Callable[[Item], Loaded], items: Iterable[Item], *, ahead: int, threads: int) -> Generator[Loaded]:
    """load(item) for every item, in order, done in threads up to `ahead` items early. Closing it ends the threads."""
    executor = ThreadPoolExecutor(threads, thread_name_prefix="prefetch")
    pending: deque[Future[Loaded]] = deque()
    try:
        for item in items:
            pending.append(executor.submit(load, item))
            if len(pending) > ahead:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        executor.shutdown(cancel_futures=True)
