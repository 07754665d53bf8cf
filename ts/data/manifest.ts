/**
 * The dataset manifest: how a dataset is stored and sent to workers. JSON Lines, so that both sides can stream it:
 * a header `{ "cassl": "dataset", "version": 1, "categories": [...], "image_count": N }`, then one line an image.
 */
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import type { Category, Dataset, DatasetImage } from "../core/dataset.js";
import { CasslError } from "../core/errors.js";
import { decodeLines, encodeLines } from "./json-lines.js";

interface Header {
  readonly cassl: "dataset";
  readonly version: 1;
  readonly categories: readonly Category[];
  readonly image_count: number;
}

/** Equal datasets give equal bytes. */
export function encodeManifest(dataset: Dataset): Uint8Array {
  return Buffer.concat([...encodeLines(manifestRecords(dataset))]);
}

/** The lines of the manifest. */
export function* manifestRecords({ categories, images }: Dataset): Generator<object> {
  const header: Header = { cassl: "dataset", version: 1, categories, image_count: images.length };
  yield header;
  yield* images;
}

/** ANNOTATIONS_INVALID if the bytes are not a whole manifest. */
export function decodeManifest(bytes: Uint8Array): Dataset {
  const [header, ...images] = readRecords(bytes) as [Header | undefined, ...DatasetImage[]];
  if (header?.cassl !== "dataset" || header.version !== 1) throw invalid("it does not start as one");
  if (header.image_count !== images.length)
    throw invalid(`it announces ${header.image_count} images and holds ${images.length}`);
  return { categories: header.categories, images };
}

/** How many images a manifest in a file has, from its first line. ANNOTATIONS_INVALID if that is not one. */
export async function readImageCount(file: string): Promise<number> {
  const lines = createInterface({ input: createReadStream(file) });
  for await (const line of lines) {
    lines.close();
    const [header] = readRecords(Buffer.from(line)) as [Header | undefined];
    if (header?.cassl === "dataset") return header.image_count;
    break;
  }
  throw invalid("it does not start as one");
}

function readRecords(bytes: Uint8Array): unknown[] {
  try {
    return [...decodeLines(bytes)];
  } catch (error) {
    throw invalid("it holds a line that is not JSON", { cause: error });
  }
}

function invalid(fault: string, options?: ErrorOptions): CasslError {
  const message = `This is not a whole dataset manifest of version 1: ${fault}.`;
  return new CasslError("ANNOTATIONS_INVALID", message, "Run the curate step again.", options);
}
