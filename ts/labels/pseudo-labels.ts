/** Pseudo labels: a selection of predictions, stored as one Parquet file. */
import type { ArtifactStore } from "../core/artifacts.js";
import type { Category } from "../core/dataset.js";
import { CasslError } from "../core/errors.js";
import { canonicalJson } from "../core/hash.js";
import type { ArtifactRef } from "../gen/cassl/v1/artifact_service.js";
import type { PredictionManifest } from "../gen/cassl/v1/prediction_frame.js";
import { readMetadata } from "../parquet/index.js";
import { groupFiles, groupShards, type ImagePredictions, imageOf, readPredictionManifest } from "./predictions.js";
import type { SelectionPolicy } from "./select-rows.js";
import { selectInThreads } from "./select-threads.js";
import { addUp, type PartialStats, type SelectionStats } from "./selection-stats.js";
import {
  boxMetadata,
  FORMAT_VERSION,
  joinBoxes,
  type StoredBoxes,
  sliceBoxes,
  streamBoxes,
  writeBoxes,
} from "./store.js";

export interface SelectedLabels {
  /** Parquet; see docs/pseudo-labels.md. */
  readonly labels: ArtifactRef;
  readonly stats: SelectionStats;
}

/**
 * The pseudo labels of a whole dataset, in constant memory. Equal predictions and policies give equal files.
 * @param raw a PredictionManifest.
 * @param categories the classes of the predictions, kept in the file.
 * ARTIFACT_CORRUPT, ARTIFACT_NOT_FOUND, STORAGE_FAILED.
 */
export async function selectPseudoLabels(
  raw: ArtifactRef,
  categories: readonly Category[],
  policy: SelectionPolicy,
  artifacts: ArtifactStore,
  signal?: AbortSignal,
): Promise<SelectedLabels> {
  let stats: SelectionStats | undefined;
  const labels = await artifacts.putFile(async (file) => {
    stats = await writePseudoLabels(file, raw, categories, policy, artifacts, signal);
  });
  return { labels, stats: stats as SelectionStats };
}

/** The same to a file that is no artifact. */
export async function writePseudoLabels(
  file: string,
  raw: ArtifactRef,
  categories: readonly Category[],
  policy: SelectionPolicy,
  artifacts: ArtifactStore,
  signal?: AbortSignal,
): Promise<SelectionStats> {
  const manifest = await readPredictionManifest(raw, artifacts);
  const { dataset, model, masks, shards } = manifest;
  const image_count = shards.reduce((sum, shard) => sum + shard.image_count, 0);
  const provenance = { dataset, model, predictions: raw.sha256, image_count };
  const json = { policy: canonicalJson(policy), categories: canonicalJson(categories) };
  const parts: PartialStats[] = [];
  const batches = selectedBoxes(manifest, policy, artifacts, parts, signal);
  await writeBoxes(file, masks, batches, boxMetadata("pseudo_labels", masks, { ...provenance, ...json }));
  return addUp(parts);
}

/** What the policy would select, without storing it. */
export async function previewSelection(
  raw: ArtifactRef,
  policy: SelectionPolicy,
  artifacts: ArtifactStore,
  signal?: AbortSignal,
): Promise<SelectionStats> {
  const manifest = await readPredictionManifest(raw, artifacts);
  const parts: PartialStats[] = [];
  for await (const _ of selectedBoxes(manifest, policy, artifacts, parts, signal));
  return addUp(parts);
}

/** The selected boxes in order; their stats are added to `parts`. */
async function* selectedBoxes(
  { masks, shards }: PredictionManifest,
  policy: SelectionPolicy,
  artifacts: ArtifactStore,
  parts: PartialStats[],
  signal?: AbortSignal,
): AsyncGenerator<StoredBoxes> {
  const requests = [];
  for (const group of groupShards(shards)) {
    requests.push({ group: await groupFiles(group, artifacts), masks, policy });
  }
  for await (const { labels, stats } of selectInThreads(requests, signal)) {
    parts.push(stats);
    yield labels;
  }
}

export interface PseudoLabels {
  readonly categories: readonly Category[];
  /** Of the dataset, those without pseudo labels included. */
  readonly imageCount: number;
  /** Those that have pseudo labels, in order, each with its boxes by descending score. To be read once. */
  readonly images: AsyncGenerator<ImagePredictions, void, undefined>;
}

/** A file of pseudo labels, in constant memory. ARTIFACT_CORRUPT if it is none. */
export async function readPseudoLabels(file: string): Promise<PseudoLabels> {
  const { metadata } = await readMetadata(file);
  const [content, version] = [metadata.get("cassl.content"), metadata.get("cassl.version")];
  if (content !== "pseudo_labels" || version !== FORMAT_VERSION) throw noPseudoLabels(file);
  const masks = metadata.get("cassl.masks") === "true";
  return {
    categories: JSON.parse(metadata.get("cassl.categories") ?? "[]") as Category[],
    imageCount: Number(metadata.get("cassl.image_count")),
    images: imagesWithLabels(file, masks),
  };
}

async function* imagesWithLabels(file: string, masks: boolean): AsyncGenerator<ImagePredictions, void, undefined> {
  let rest: StoredBoxes | undefined;
  for await (const batch of streamBoxes([file], masks)) {
    const boxes = rest === undefined ? batch : joinBoxes(rest, batch);
    // The last image may go on in the next batch.
    const last = boxes.image.indexOf(boxes.image.at(-1) as number);
    yield* imagesOf(sliceBoxes(boxes, 0, last));
    rest = sliceBoxes(boxes, last);
  }
  if (rest !== undefined) yield* imagesOf(rest);
}

function* imagesOf(boxes: StoredBoxes): Generator<ImagePredictions> {
  const { image } = boxes;
  for (let start = 0, end = 0; start < image.length; start = end) {
    while (end < image.length && image[end] === image[start]) end++;
    yield imageOf(boxes, image[start] as number, start, end);
  }
}

function noPseudoLabels(file: string): CasslError {
  return new CasslError(
    "ARTIFACT_CORRUPT",
    `${file} holds no pseudo labels that this version of cassl reads.`,
    "Give a file that `cassl select` or a run has written.",
  );
}
