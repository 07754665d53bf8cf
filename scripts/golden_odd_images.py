"""Writes unusual image files to a folder, and prints the name of each and the SHA-256 of the pixels that training sees.

.venv/bin/python scripts/golden_odd_images.py FOLDER
"""

import hashlib
import sys
from pathlib import Path

import numpy as np
from PIL import Image

WIDTH, HEIGHT = 40, 30


def main() -> None:
    folder = Path(sys.argv[1])
    write_images(folder)
    for file in sorted(folder.iterdir()):
        with Image.open(file) as image:
            print(file.name, hashlib.sha256(image.convert("RGB").tobytes()).hexdigest())


def write_images(folder: Path) -> None:
    random = np.random.default_rng(0)
    blocks = random.integers(0, 256, (HEIGHT // 5, WIDTH // 5, 3), dtype=np.uint8)
    photo = Image.fromarray(blocks.repeat(5, 0).repeat(5, 1))
    see_through = photo.copy()
    see_through.putalpha(Image.linear_gradient("L").resize(photo.size))
    palette = photo.quantize(16)

    photo.convert("1").save(folder / "one-bit.png")
    photo.convert("L").save(folder / "gray.png")
    see_through.convert("LA").save(folder / "gray-alpha.png")
    see_through.save(folder / "alpha.png")
    see_through.save(folder / "alpha.webp", lossless=True)
    palette.save(folder / "palette.png")
    palette.save(folder / "palette-transparent.png", transparency=3)
    photo.save(folder / "transparent-colour.png", transparency=photo.getpixel((0, 0)))
    Image.fromarray(np.asarray(photo.convert("L"), np.uint16) * 257).save(folder / "gray-16-bit.png")
    photo.convert("CMYK").save(folder / "cmyk.jpg")
    photo.save(folder / "rgb-not-ycbcr.jpg", keep_rgb=True)
    photo.save(folder / "turned.jpg", exif=orientation(6))
    photo.save(folder / "turned.png", exif=orientation(8))
    frames = [photo.rotate(90), photo.rotate(180)]
    photo.save(folder / "animated.webp", save_all=True, append_images=frames)
    photo.save(folder / "animated.png", save_all=True, append_images=frames)
    photo.save(folder / "gif-named.png", format="GIF", save_all=True, append_images=frames)


def orientation(value: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = value
    return exif


if __name__ == "__main__":
    main()
