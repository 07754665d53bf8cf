/** Boxes at rest: Parquet files of predictions and of pseudo labels, sorted by image. See docs/pseudo-labels.md. */
import { CasslError } from "../core/errors.js";
import { type Columns, readParquet, writeParquet } from "../parquet/index.js";
import type { PredictionColumns } from "./frame.js";

/** Boxes in absolute px of the original image; `image` is the position in the dataset, `class` in 0..K-1. */
const boxSchema = {
  image: "int32",
  x0: "float32",
  y0: "float32",
  x1: "float32",
  y1: "float32",
  score: "float32",
  class: "int32",
} as const;

/** The same with masks of the whole image, as COCO's counts strings. */
const maskedBoxSchema = { ...boxSchema, mask: "string" } as const;

/** Columns of equal length. `mask` is there if the model gives masks. */
export type StoredBoxes = Columns<typeof boxSchema> & { readonly mask?: readonly (string | null)[] };

/** Where the predictions of a shard come from. */
export interface ShardProvenance {
  /** SHA-256 of the dataset manifest. */
  readonly dataset: string;
  /** SHA-256 of the weights. */
  readonly model: string;
  readonly shard: number;
}

/** Raise it when the columns change. */
export const FORMAT_VERSION = "1";

/** What a file of boxes says of itself, beside the entries of its kind. */
export function boxMetadata(
  content: "predictions" | "pseudo_labels",
  masks: boolean,
  entries: Readonly<Record<string, string | number>>,
): Record<string, string> {
  const all = Object.entries({ content, version: FORMAT_VERSION, masks, ...entries });
  return Object.fromEntries(all.map(([key, value]) => [`cassl.${key}`, String(value)]));
}

/** Equal shards give equal bytes. STORAGE_FAILED. */
export async function writeShard(file: string, shard: PredictionColumns, provenance: ShardProvenance): Promise<void> {
  const { imageIndex, masks } = shard;
  const images = { first_image: imageIndex[0] ?? 0, image_count: imageIndex.length };
  const metadata = boxMetadata("predictions", masks !== undefined, { ...provenance, ...images });
  const boxes = toStoredBoxes(shard);
  await writeBoxes(file, masks !== undefined, [masks === undefined ? boxes : { ...boxes, mask: masks }], metadata);
}

/** @param masks whether the boxes have masks. STORAGE_FAILED; errors of `batches` pass through. */
export async function writeBoxes(
  file: string,
  masks: boolean,
  batches: Iterable<StoredBoxes> | AsyncIterable<StoredBoxes>,
  metadata: Readonly<Record<string, string>>,
): Promise<void> {
  // Which columns the batches have is not known to the compiler.
  const all = batches as AsyncIterable<Columns<typeof maskedBoxSchema>>;
  await (masks ? writeParquet(file, maskedBoxSchema, all, metadata) : writeParquet(file, boxSchema, all, metadata));
}

/** The boxes of files, a batch at a time. @param masks whether to read masks; the files must have the column. */
export function streamBoxes(files: readonly string[], masks: boolean): AsyncGenerator<StoredBoxes, void, undefined> {
  return readParquet(files, masks ? maskedBoxSchema : boxSchema);
}

function toStoredBoxes({ imageIndex, boxesPerImage, boxXyxy, score, classIndex }: PredictionColumns) {
  const image = new Int32Array(score.length);
  let start = 0;
  for (const [row, count] of boxesPerImage.entries()) {
    image.fill(imageIndex[row] as number, start, start + count);
    start += count;
  }
  const corner = (at: number) => Float32Array.from(score, (_, row) => boxXyxy[4 * row + at] as number);
  return {
    image,
    x0: corner(0),
    y0: corner(1),
    x1: corner(2),
    y1: corner(3),
    score: Float32Array.from(score),
    class: Int32Array.from(classIndex),
  };
}

/**
 * All boxes of some files, in memory at once.
 * @param masks whether to read masks; the files must have the column.
 * ARTIFACT_CORRUPT if they are not `count` boxes, sorted by image.
 */
export async function readBoxes(files: readonly string[], masks: boolean, count: number): Promise<StoredBoxes> {
  const all = {
    image: new Int32Array(count),
    x0: new Float32Array(count),
    y0: new Float32Array(count),
    x1: new Float32Array(count),
    y1: new Float32Array(count),
    score: new Float32Array(count),
    class: new Int32Array(count),
  };
  const mask: (string | null)[] = [];
  let rows = 0;
  for await (const batch of streamBoxes(files, masks)) {
    if (rows + batch.score.length > count) throw corrupt(files, `more than ${count} boxes`);
    for (const name of names) all[name].set(batch[name], rows);
    mask.push(...(batch.mask ?? []));
    rows += batch.score.length;
  }
  if (rows < count) throw corrupt(files, `${rows} boxes, not ${count}`);
  if (!isAscending(all.image)) throw corrupt(files, "images out of order");
  return masks ? { ...all, mask } : all;
}

function isAscending(image: Int32Array): boolean {
  for (let row = 1; row < image.length; row++) {
    if ((image[row] as number) < (image[row - 1] as number)) return false;
  }
  return true;
}

function corrupt([file = ""]: readonly string[], fault: string): CasslError {
  return new CasslError("ARTIFACT_CORRUPT", `The boxes in ${file} and with it have ${fault}.`, "Make them again.");
}

/** Rows `start` to `end` of some boxes, as copies. */
export function sliceBoxes(boxes: StoredBoxes, start: number, end?: number): StoredBoxes {
  return mapColumns((name) => (boxes[name] as Int32Array).slice(start, end), boxes.mask?.slice(start, end));
}

/** One after the other. */
export function joinBoxes(first: StoredBoxes, second: StoredBoxes): StoredBoxes {
  const mask = first.mask && [...first.mask, ...(second.mask ?? [])];
  return mapColumns((name) => {
    const joined = new (first[name].constructor as Int32ArrayConstructor)(first.image.length + second.image.length);
    joined.set(first[name]);
    joined.set(second[name], first.image.length);
    return joined;
  }, mask);
}

const names = Object.keys(boxSchema) as (keyof typeof boxSchema)[];

function mapColumns(of: (name: keyof typeof boxSchema) => unknown, mask: StoredBoxes["mask"]): StoredBoxes {
  const columns = Object.fromEntries(names.map((name) => [name, of(name)])) as Columns<typeof boxSchema>;
  return mask === undefined ? columns : { ...columns, mask };
}
