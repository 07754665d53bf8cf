/**
 * The dataset manifest: how a dataset is stored and sent to workers. JSON Lines, so that both sides can stream it:
 * a header `{ "cassl": "dataset", "version": 1, "categories": [...], "image_count": N }`, then one line an image.
 */
import type { Annotation, Category, Dataset, DatasetImage } from "../core/dataset.js";
import { CasslError } from "../core/errors.js";
import { canonicalJson } from "../core/hash.js";

interface Header {
  readonly cassl: "dataset";
  readonly version: 1;
  readonly categories: readonly Category[];
  readonly image_count: number;
}

/** Equal datasets give equal bytes. */
export function encodeManifest({ categories, images }: Dataset): Uint8Array {
  const header: Header = { cassl: "dataset", version: 1, categories, image_count: images.length };
  const lines = [header, ...images].map(canonicalJson);
  return Buffer.from(`${lines.join("\n")}\n`);
}

/** ANNOTATIONS_INVALID if the bytes are not a whole manifest. */
export function decodeManifest(bytes: Uint8Array): Dataset {
  const [header, ...images] = parseLines(bytes) as [Header | undefined, ...DatasetImage[]];
  if (header?.cassl !== "dataset" || header.version !== 1) throw invalid("it does not start as one");
  if (header.image_count !== images.length)
    throw invalid(`it announces ${header.image_count} images and holds ${images.length}`);
  return { categories: header.categories, images };
}

function parseLines(bytes: Uint8Array): unknown[] {
  const lines = new TextDecoder().decode(bytes).trimEnd().split("\n");
  try {
    return lines.map((line) => JSON.parse(line) as unknown);
  } catch (error) {
    throw invalid("it holds a line that is not JSON", { cause: error });
  }
}

function invalid(fault: string, options?: ErrorOptions): CasslError {
  const message = `This is not a whole dataset manifest of version 1: ${fault}.`;
  return new CasslError("ANNOTATIONS_INVALID", message, "Run the curate step again.", options);
}

/** Ground-truth boxes that training may learn from: crowds are none. */
export function objectsOf(image: DatasetImage): readonly Annotation[] {
  return image.annotations.filter((annotation) => !annotation.iscrowd);
}
