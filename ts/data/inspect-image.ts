/** Looks into image files. The door to sharp for curation. */
import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import sharp, { type Metadata, type Sharp } from "sharp";
import type { Picture } from "./near-duplicates/alignment.js";
import { pictureHashes, THUMBNAIL_PX, type Thumbnail } from "./near-duplicates/picture-hash.js";

export interface ImageInfo {
  /** SHA-256 of the file. */
  readonly sha256: string;
  readonly size_bytes: number;
  /** Size of the stored pixels: no EXIF orientation is applied. */
  readonly width_px: number;
  readonly height_px: number;
  /** Whether the EXIF orientation, if it were applied, would swap width and height. */
  readonly turned: boolean;
}

/** What there is to know of an image without its pixels. */
export interface Inspection {
  readonly info: ImageInfo;
  /** (32) as `pictureHashes` gives them, of the picture as it is shown: with the EXIF orientation applied. */
  readonly hashes: Uint32Array;
}

/** By what one sees that a file has been written to. */
export interface FileStamp {
  readonly size_bytes: number;
  readonly mtime_ms: number;
}

/** Inspections of earlier curations, so that one which was interrupted goes on where it stopped. */
export interface InspectionCache {
  find(path: string, stamp: FileStamp): Inspection | undefined;
  save(path: string, stamp: FileStamp, inspection: Inspection): void;
}

/** Raise it when the same file would now give another inspection: caches of another version are emptied. */
export const INSPECTION_VERSION = 1;

/** What sharp and Pillow decode to the same pixels; the worker decodes with Pillow. */
const FORMATS = new Set(["jpeg", "png", "webp"]);
const COLOUR_SPACES = new Set(["srgb", "b-w"]);

/** A file is read into memory as a whole. */
const MAX_FILE_BYTES = 2 ** 29;

/** Thumbnails are averaged from squares of 2 x 2: a decoder that shrinks on its own rounds off less than a pixel of these. */
const OVERSAMPLING = 2;

const PREVIEW_PX = 240;
const PREVIEW_QUALITY = 70;

/**
 * Decodes the whole image, or takes what the cache has of it.
 * Throws an Error that says what is wrong if it is missing, truncated, too large, not an image, or one that training would
 * see differently.
 */
export async function inspectImage(path: string, maxPixels: number, cache?: InspectionCache): Promise<Inspection> {
  const stamp = await stampOf(path);
  const known = cache?.find(path, stamp);
  if (known !== undefined) {
    refuseTooLarge(known.info.width_px, known.info.height_px, maxPixels);
    return known;
  }
  const inspection = await decode(await readFile(path), maxPixels);
  cache?.save(path, stamp, inspection);
  return inspection;
}

/** The picture as it is shown, squeezed into a small square. */
export async function readPicture(path: string): Promise<Picture> {
  return pictureOf(sharp(await readFile(path), { limitInputPixels: false, ignoreIcc: true }));
}

/** A small JPEG of the picture as it is shown. */
export async function readPreview(path: string): Promise<Uint8Array> {
  return sharp(await readFile(path), { limitInputPixels: false })
    .autoOrient()
    .resize({ width: PREVIEW_PX, height: PREVIEW_PX, fit: "inside", withoutEnlargement: true })
    .flatten({ background: "#808080" })
    .jpeg({ quality: PREVIEW_QUALITY })
    .toBuffer();
}

async function stampOf(path: string): Promise<FileStamp> {
  const stats = await stat(path).catch((error: NodeJS.ErrnoException) => {
    const isMisread = error.code === "ENOENT" && path.includes("\uFFFD");
    throw isMisread ? new Error("its name is not UTF-8 text", { cause: error }) : error;
  });
  if (stats.isDirectory()) throw new Error("it is a folder that cannot be searched");
  if (!stats.isFile()) throw new Error("it is no regular file");
  if (stats.size === 0) throw new Error("it is empty");
  if (stats.size > MAX_FILE_BYTES) throw new Error(`it has ${stats.size} bytes; ${MAX_FILE_BYTES} can be read at most`);
  return { size_bytes: stats.size, mtime_ms: stats.mtimeMs };
}

async function decode(bytes: Buffer, maxPixels: number): Promise<Inspection> {
  // The limit is ours, which says so.
  const image = sharp(bytes, { failOn: "truncated", limitInputPixels: false, ignoreIcc: true });
  const metadata = await image.metadata();
  refuseUnlikeTraining(metadata);
  const { width, height, orientation = 1 } = metadata;
  refuseTooLarge(width, height, maxPixels);
  const { gray } = await pictureOf(image);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  const info = { sha256, size_bytes: bytes.length, width_px: width, height_px: height, turned: orientation >= 5 };
  return { info, hashes: pictureHashes(gray) };
}

/** Pillow, which decodes for training, makes other pixels of these than sharp, which decodes for evaluation. */
function refuseUnlikeTraining({ format, space, depth }: Metadata): void {
  if (!FORMATS.has(format)) throw new Error(`it is ${format}; JPEG, PNG and WebP can be read`);
  if (depth !== "uchar") throw new Error("it has more than 8 bits a channel");
  if (!COLOUR_SPACES.has(space)) throw new Error(`its colours are ${space}; RGB and gray can be read`);
}

function refuseTooLarge(width: number, height: number, maxPixels: number): void {
  if (width * height <= maxPixels) return;
  throw new Error(`it has ${width} x ${height} px, more than data.max_image_pixels, ${maxPixels}`);
}

/** The kernel takes part of every row and column, so that the whole image is decoded, though JPEG at a lower resolution. */
async function pictureOf(image: Sharp): Promise<Picture> {
  const side = OVERSAMPLING * THUMBNAIL_PX;
  const { data, info } = await image
    .autoOrient()
    .resize(side, side, { fit: "fill", kernel: "linear" })
    .raw()
    .toBuffer({ resolveWithObject: true });
  const channels = info.channels < 3 ? [0, 0, 0] : [0, 1, 2];
  const colours = channels.map((channel) => averagedSquares(data, channel, info.channels));
  const [red, green, blue] = colours as [Float32Array, Float32Array, Float32Array];
  const luma = red.map((value, i) => 0.299 * value + 0.587 * (green[i] as number) + 0.114 * (blue[i] as number));
  return { gray: rounded(luma), colours: colours.map(rounded) };
}

/** (32 * 32) averages over squares of one channel. */
function averagedSquares(data: Uint8Array, channel: number, channels: number): Float32Array {
  const side = OVERSAMPLING * THUMBNAIL_PX;
  const averages = new Float32Array(THUMBNAIL_PX * THUMBNAIL_PX);
  for (let y = 0; y < side; y++) {
    const row = Math.floor(y / OVERSAMPLING) * THUMBNAIL_PX;
    for (let x = 0; x < side; x++) {
      const place = row + Math.floor(x / OVERSAMPLING);
      const value = data[(y * side + x) * channels + channel] as number;
      averages[place] = (averages[place] as number) + value / OVERSAMPLING ** 2;
    }
  }
  return averages;
}

function rounded(values: Float32Array): Thumbnail {
  return Uint8Array.from(values, Math.round);
}
