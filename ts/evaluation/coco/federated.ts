/** Evaluation of data in which an image is annotated for some classes only, as LVIS is: Gupta et al., CVPR 2019, section 3. */
import { type ByImage, keepRows } from "./grouping.js";
import type { GroundTruth } from "./input/ground-truth.js";
import type { ImageChecks } from "./input/image-checks.js";
import type { Evidence } from "./matching.js";
import type { Parameters } from "./options.js";
import { positionsOf } from "./positions.js";
import { ascending, sortByScore } from "./sorting.js";

/** What is evaluated. */
export interface Evaluated {
  readonly gt: ByImage;
  readonly dt: ByImage;
  readonly evidence: Evidence;
}

/**
 * Leaves out what the reference implementation leaves out: annotations without area, detections beyond the best of an image
 * whatever their class, as many as the largest of `maxDets`, and detections of classes that an image was not checked for.
 * What is wrong only because an image is not annotated exhaustively for its class is to be ignored.
 */
export function federate(
  { gt, dt, evidence }: Evaluated,
  { images }: GroundTruth,
  checks: ImageChecks,
  parameters: Parameters,
): Evaluated {
  const positions = positionsOf(images.id, parameters.imageIds);
  const classesOf = (ids: ImageChecks["absent"]) => classesOfImages(positions, ids, parameters);
  const found = keepRows(gt, (row) => (evidence.gt.area[row] as number) > 0);
  const checked = classesOf(checks.absent);
  for (const row of found.rows) checked[found.images[row] as number]?.add(found.classes[row] as number);
  const isBest = bestOfImages(evidence.dtScore, dt.images, parameters);
  const isAmong = (classes: readonly ReadonlySet<number>[], row: number): boolean =>
    classes[dt.images[row] as number]?.has(dt.classes[row] as number) ?? false;
  const kept = keepRows(
    dt,
    (row) => isBest[row] === 1 && (evidence.dtArea[row] as number) > 0 && isAmong(checked, row),
  );
  const notExhaustive = classesOf(checks.notExhaustive);
  const dtUnverified = new Uint8Array(dt.images.length);
  for (const row of kept.rows) if (isAmong(notExhaustive, row)) dtUnverified[row] = 1;
  return { gt: found, dt: kept, evidence: { ...evidence, dtUnverified } };
}

/** Classes of the evaluation, by position in `Parameters.imageIds`. @param positions of the images that have the ids. */
function classesOfImages(positions: Int32Array, ids: ImageChecks["absent"], parameters: Parameters): Set<number>[] {
  const classes = parameters.imageIds.map(() => new Set<number>());
  positions.forEach((image, row) => {
    if (image >= 0) classes[image] = new Set(positionsOf(Float64Array.from(ids[row] ?? []), parameters.categoryIds));
  });
  return classes;
}

/** By row, 1 for the best of each image; equal scores are in the order of the rows. */
function bestOfImages(scores: Float64Array, images: Int32Array, { imageIds, axes }: Parameters): Uint8Array {
  const limit = axes.maxDets.at(-1) as number;
  const counts = new Int32Array(imageIds.length);
  const isBest = new Uint8Array(scores.length);
  for (const row of sortByScore(ascending(scores.length), scores)) {
    const image = images[row] as number;
    if (image < 0) continue;
    if ((counts[image] as number) < limit) isBest[row] = 1;
    counts[image] = (counts[image] as number) + 1;
  }
  return isBest;
}
