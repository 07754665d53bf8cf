/** Sizes of images by their headers, for formats that do not tell them. */
import sharp from "sharp";
import { DECODING } from "../../images/decoding.js";

export interface ImageHeader {
  /** Size of the stored pixels. */
  readonly width_px: number;
  readonly height_px: number;
  /** EXIF orientation, 1..8; 1 if there is none. */
  readonly orientation: number;
}

/** Decodes no pixels. Throws an Error that says what is wrong if the file is missing or no image. */
export async function readImageHeader(path: string): Promise<ImageHeader> {
  const { width, height, orientation = 1 } = await sharp(path, DECODING).metadata();
  return { width_px: width, height_px: height, orientation };
}
