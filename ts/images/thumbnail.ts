/** Images as small JPEG files, for pages. */
import sharp from "sharp";
import { DECODING } from "./decoding.js";

const DEFAULT_QUALITY = 78;

/**
 * At most `side_px` wide and high. Pixels as in training: without the EXIF orientation applied.
 * @param quality of the JPEG, 1 to 100.
 */
export function readThumbnail(path: string, side_px: number, quality = DEFAULT_QUALITY): Promise<Buffer> {
  return sharp(path, DECODING)
    .resize({ width: side_px, height: side_px, fit: "inside", withoutEnlargement: true })
    .toColourspace("srgb")
    .flatten({ background: "#808080" })
    .jpeg({ quality })
    .toBuffer();
}
