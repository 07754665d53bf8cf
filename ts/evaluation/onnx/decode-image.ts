import sharp from "sharp";
import { CasslError } from "../../core/errors.js";
import { DECODING } from "../../images/decoding.js";
import type { RgbImage } from "./resize.js";

/**
 * The pixels as they are stored, as Pillow's `convert("RGB")` gives them to training: no EXIF orientation, no colour profile
 * applied, no alpha. IMAGE_INVALID names a file that cannot be decoded, or has more pixels than `maxPixels`.
 */
export async function decodeImage(path: string, maxPixels?: number): Promise<RgbImage> {
  try {
    const image = sharp(path, { ...DECODING, limitInputPixels: maxPixels ?? false })
      .toColourspace("srgb")
      .removeAlpha()
      .raw();
    const { data, info } = await image.toBuffer({ resolveWithObject: true });
    return { widthPx: info.width, heightPx: info.height, pixels: data };
  } catch (error) {
    const message = `${path} cannot be decoded: ${(error as Error).message}.`;
    throw new CasslError("IMAGE_INVALID", message, "Replace the image, or leave it out.", { cause: error });
  }
}
