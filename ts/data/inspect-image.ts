/** Looks into image files. The door to sharp for curation. */
import { createHash } from "node:crypto";
import sharp, { type Metadata, type Sharp } from "sharp";
import { DECODING } from "../images/decoding.js";
import { type FileStamp, readImageFile } from "../images/image-file.js";
import { type ImageStore, localImages } from "../images/image-store.js";
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

/** Inspections of earlier curations, so that one which was interrupted goes on where it stopped. */
export interface InspectionCache {
  find(path: string, stamp: FileStamp): Inspection | undefined;
  save(path: string, stamp: FileStamp, inspection: Inspection): void;
}

/** Raise it when the same file would now give another inspection: caches of another version are emptied. */
export const INSPECTION_VERSION = 2;

/** sharp decodes in the threads of Node.js, of which there are four: as many again wait, so that none of these has to. */
export const IMAGES_AT_ONCE = 8;

/** What sharp and Pillow decode to the same pixels; the worker decodes with Pillow. */
const FORMATS = new Set(["jpeg", "png", "webp"]);
const COLOUR_SPACES = new Set(["srgb", "b-w"]);

/** Thumbnails are averaged from squares of 2 x 2: a decoder that shrinks on its own rounds off less than a pixel of these. */
const OVERSAMPLING = 2;
const SMALL_PX = OVERSAMPLING * THUMBNAIL_PX;

const PREVIEW_PX = 240;
const PREVIEW_QUALITY = 70;

/**
 * Decodes the whole image, or takes what the cache has of it.
 * Throws an Error that says what is wrong if it is missing, truncated, too large, not an image, or one that training would
 * see differently.
 */
export async function inspectImage(
  place: string,
  maxPixels: number,
  cache?: InspectionCache,
  images: ImageStore = localImages,
): Promise<Inspection> {
  return images.use(place, async (stamp, read) => {
    const known = cache?.find(place, stamp);
    if (known !== undefined) {
      refuseTooLarge(known.info.width_px, known.info.height_px, maxPixels);
      return known;
    }
    const inspection = await decode(await read(), maxPixels);
    cache?.save(place, stamp, inspection);
    return inspection;
  });
}

/** The picture as it is shown, squeezed into a small square. */
export async function readPicture(path: string): Promise<Picture> {
  const small = await shrink(sharp(await readImageFile(path), DECODING).autoOrient());
  return { gray: grayOf(small), colours: coloursOf(small) };
}

/** A small JPEG of the picture as it is shown. */
export async function readPreview(path: string): Promise<Uint8Array> {
  return sharp(await readImageFile(path), DECODING)
    .autoOrient()
    .resize({ width: PREVIEW_PX, height: PREVIEW_PX, fit: "inside", withoutEnlargement: true })
    .flatten({ background: "#808080" })
    .jpeg({ quality: PREVIEW_QUALITY })
    .toBuffer();
}

async function decode(bytes: Buffer, maxPixels: number): Promise<Inspection> {
  const image = sharp(bytes, DECODING);
  const metadata = await image.metadata();
  refuseUnlikeTraining(metadata);
  const { width, height, orientation = 1 } = metadata;
  refuseTooLarge(width, height, maxPixels);
  const hashes = pictureHashes(grayOf(await shrink(orientation === 1 ? image : image.autoOrient())));
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  const info = { sha256, size_bytes: bytes.length, width_px: width, height_px: height, turned: orientation >= 5 };
  return { info, hashes };
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

/** What a decoder has made of the picture: (64 * 64) pixels of one to four channels. */
interface Small {
  readonly data: Uint8Array;
  readonly channels: number;
}

/** The kernel takes part of every row and column, so that the whole image is decoded, though JPEG at a lower resolution. */
async function shrink(image: Sharp): Promise<Small> {
  const { data, info } = await image
    .resize(SMALL_PX, SMALL_PX, { fit: "fill", kernel: "linear" })
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { data, channels: info.channels };
}

function grayOf({ data, channels }: Small): Thumbnail {
  const weights = channels < 3 ? [1, 0, 0] : [0.299, 0.587, 0.114];
  return averagedSquares({ data, channels }, weights);
}

/** Red, green and blue. */
function coloursOf(small: Small): Thumbnail[] {
  if (small.channels < 3) return Array.from({ length: 3 }, () => grayOf(small));
  const channels = [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ];
  return channels.map((weights) => averagedSquares(small, weights));
}

/** (32 * 32) averages over squares of the weighted sum of the first three channels. */
function averagedSquares({ data, channels }: Small, [first = 0, second = 0, third = 0]: readonly number[]): Thumbnail {
  const thumbnail = new Uint8Array(THUMBNAIL_PX * THUMBNAIL_PX);
  const steps = [0, channels, SMALL_PX * channels, (SMALL_PX + 1) * channels];
  for (let place = 0; place < thumbnail.length; place++) {
    const row = Math.floor(place / THUMBNAIL_PX);
    const corner = OVERSAMPLING * (row * SMALL_PX + (place - row * THUMBNAIL_PX)) * channels;
    let sum = 0;
    for (const step of steps) {
      const pixel = corner + step;
      sum += first * (data[pixel] as number);
      if (channels >= 3) sum += second * (data[pixel + 1] as number) + third * (data[pixel + 2] as number);
    }
    thumbnail[place] = Math.round(sum / steps.length);
  }
  return thumbnail;
}
