/** The forms in which COCO files hold masks. */
import { decodeCounts, encodeCounts } from "./counts-string.js";
import { union } from "./merge.js";
import { fromPolygon } from "./polygon.js";
import { checkedRle, invalidMask, pixelsOf, type Rle } from "./rle.js";

/** One or more polygons [x, y, x, y, ...] in px, which together cover the mask. */
export type Polygons = readonly (readonly number[])[];

/** Runs as a text; see `encodeCounts`. */
export interface CompressedRle {
  /** px. */
  readonly size: readonly [height: number, width: number];
  readonly counts: string;
}

/** Runs as numbers; see `Rle`. */
export interface UncompressedRle {
  /** px. */
  readonly size: readonly [height: number, width: number];
  readonly counts: readonly number[];
}

export type Segmentation = Polygons | CompressedRle | UncompressedRle;

/**
 * The mask of a `segmentation` in an image of the given size in px.
 * ANNOTATIONS_INVALID if it has none of the three forms, if its numbers are broken or if its size is not the image's.
 */
export function fromSegmentation(segmentation: Segmentation, width: number, height: number): Rle {
  const rle = readSegmentation(segmentation, width, height);
  if (rle.width === width && rle.height === height) return rle;
  throw invalidMask(
    `A mask of ${rle.width}x${rle.height} px does not fit an image of ${width}x${height} px.`,
    "Correct the size of the mask, which is [height, width], or of the image.",
  );
}

/** The same, but runs keep their own size, and the image's may be NaN where no polygon needs it. */
export function readSegmentation(segmentation: Segmentation, width: number, height: number): Rle {
  if (isPolygons(segmentation)) {
    if (segmentation.length === 0) throw invalidSegmentation(segmentation);
    if (Number.isNaN(width) || Number.isNaN(height)) throw unknownSize();
    return union(segmentation.map((polygon) => fromPolygon(polygon, width, height)));
  }
  if (!isRuns(segmentation)) throw invalidSegmentation(segmentation);
  return typeof segmentation.counts === "string"
    ? fromCompressed(segmentation as CompressedRle)
    : fromUncompressed(segmentation as UncompressedRle);
}

/** ANNOTATIONS_INVALID for broken counts, or counts that do not fill the size. */
export function fromCompressed({ size: [height, width], counts }: CompressedRle): Rle {
  return checkedRle({ width, height, counts: decodeCounts(counts) });
}

export function toCompressed({ width, height, counts }: Rle): CompressedRle {
  return { size: [height, width], counts: encodeCounts(counts) };
}

/** ANNOTATIONS_INVALID for counts that do not fill the size. */
export function fromUncompressed({ size: [height, width], counts }: UncompressedRle): Rle {
  const pixels = pixelsOf(width, height);
  const wrong = counts.find((count) => !(Number.isInteger(count) && count >= 0 && count <= pixels));
  if (wrong !== undefined) throw invalidMask(`A run has the length ${wrong}.`, "Give whole numbers of pixels.");
  return checkedRle({ width, height, counts: Uint32Array.from(counts) });
}

export function toUncompressed({ width, height, counts }: Rle): UncompressedRle {
  return { size: [height, width], counts: [...counts] };
}

function unknownSize(): Error {
  return invalidMask(
    "Polygons need the size of the image, which is not known.",
    "Give the image its width and height, or the mask as { size: [height, width], counts }.",
  );
}

function isPolygons(segmentation: unknown): segmentation is Polygons {
  return Array.isArray(segmentation) && segmentation.every((polygon) => Array.isArray(polygon));
}

function isRuns(segmentation: unknown): segmentation is CompressedRle | UncompressedRle {
  if (typeof segmentation !== "object" || segmentation === null) return false;
  const { size, counts } = segmentation as { size?: unknown; counts?: unknown };
  const isSize = Array.isArray(size) && size.length === 2 && size.every((side) => typeof side === "number");
  return isSize && (typeof counts === "string" || Array.isArray(counts));
}

function invalidSegmentation(segmentation: unknown): Error {
  const text = JSON.stringify(segmentation) ?? "undefined";
  return invalidMask(
    `The segmentation ${text.length > 80 ? `${text.slice(0, 80)}...` : text} is no mask.`,
    "Give polygons with numbers, or { size: [height, width], counts }.",
  );
}
