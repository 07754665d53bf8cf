/** Detections drawn on their image. */
import sharp from "sharp";
import type { BoxXywh } from "../../core/boxes.js";
import { CasslError } from "../../core/errors.js";
import { DECODING } from "../../images/decoding.js";
import { decode, type Rle } from "../../masks/index.js";

/** A detection. */
export interface DrawnObject {
  readonly box_xywh: BoxXywh;
  readonly label: string;
  /** Class index, which decides the colour. */
  readonly classIndex: number;
  /** Of the whole image. */
  readonly mask?: Rle;
}

/** Told apart by most who see colours differently (Okabe and Ito). */
const COLORS = ["#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7"];
/** Lines and letters grow with the image. */
const PX_PER_LINE = 400;
const LETTER_LINES = 8;
const MASK_OPACITY = 0.45;

/**
 * Writes a JPEG of the image with boxes, and masks that it shows through. @param objects best first: they cover the others.
 * IMAGE_INVALID or STORAGE_FAILED says what went wrong.
 */
export async function drawDetections(imagePath: string, objects: readonly DrawnObject[], out: string): Promise<void> {
  const { data, info } = await sharp(imagePath, DECODING)
    .toColourspace("srgb")
    .flatten({ background: "#808080" })
    .raw()
    .toBuffer({ resolveWithObject: true })
    .catch((error: unknown) => {
      const message = `${imagePath} cannot be decoded: ${(error as Error).message}.`;
      throw new CasslError("IMAGE_INVALID", message, "Replace the image, or leave it out.", { cause: error });
    });
  const raw = { width: info.width, height: info.height, channels: info.channels };
  paintMasks(data, info.channels, objects);
  try {
    await sharp(data, { raw })
      .composite([{ input: Buffer.from(boxesSvg(info, objects)) }])
      .jpeg({ quality: 90 })
      .toFile(out);
  } catch (error) {
    const message = `${out} cannot be written: ${(error as Error).message}.`;
    throw new CasslError("STORAGE_FAILED", message, "Free space, or choose another folder.", { cause: error });
  }
}

/** Mixes colours into the pixels of masks, (height, width, channels). */
function paintMasks(pixels: Uint8Array, channels: number, objects: readonly DrawnObject[]): void {
  for (const { mask, classIndex } of objects.toReversed()) {
    if (mask === undefined) continue;
    const color = colorOf(classIndex);
    const rgb = [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16));
    decode(mask).data.forEach((inside, pixel) => {
      if (inside === 0) return;
      for (let channel = 0; channel < Math.min(3, channels); channel++) {
        const at = pixel * channels + channel;
        pixels[at] = (1 - MASK_OPACITY) * (pixels[at] as number) + MASK_OPACITY * (rgb[channel] as number);
      }
    });
  }
}

function colorOf(classIndex: number): string {
  return COLORS[classIndex % COLORS.length] as string;
}

/** Pure: the overlay of an image of this size. */
export function boxesSvg(
  { width, height }: { readonly width: number; readonly height: number },
  boxes: readonly DrawnObject[],
): string {
  const line = Math.max(1, Math.max(width, height) / PX_PER_LINE);
  const letter = LETTER_LINES * line;
  const shapes = boxes.map(({ box_xywh: [x, y, w, h], label, classIndex }) => {
    const color = colorOf(classIndex);
    const baseline = Math.max(y - 2 * line, letter);
    return `<rect x="${x}" y="${y}" width="${w}" height="${h}" fill="none" stroke="${color}" stroke-width="${line}"/>
<text x="${x}" y="${baseline}" fill="${color}" stroke="#000" stroke-width="${letter / 5}" paint-order="stroke">${escapeXml(label)}</text>`;
  });
  const style = `font-family="sans-serif" font-size="${letter}"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" ${style}>${shapes.join("\n")}</svg>`;
}

const XML: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

/** XML cannot hold control characters. */
function escapeXml(text: string): string {
  return text.replace(/\p{Cc}/gu, "\ufffd").replace(/[&<>"]/g, (character) => XML[character] as string);
}
