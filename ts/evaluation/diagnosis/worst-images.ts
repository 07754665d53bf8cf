/** The images with the most errors, and which. */
import type { CocoMatches } from "../coco/matches.js";
import { classifyErrors, type ErrorKind, type ErrorOptions, errorKinds, falsePositiveKinds } from "./errors.js";

export interface ImageErrors {
  readonly imageId: number;
  /** Of all kinds together. An object that a detection of the wrong class or place stands for is one error, not two. */
  readonly errors: number;
  readonly kinds: Readonly<Record<ErrorKind, number>>;
  /** Ground truth to be found. */
  readonly positives: number;
}

/** Images with errors, the most first, then in the order of their ids. */
export function worstImages(
  matches: CocoMatches,
  { limit = 10, ...options }: ErrorOptions & { readonly limit?: number } = {},
): ImageErrors[] {
  const { imageIds, detections, groundTruth } = matches;
  const { kind, isMissed } = classifyErrors(matches, options);
  const images = imageIds.map((imageId) => ({ imageId, positives: 0, kinds: noErrors() }));
  kind.forEach((index, d) => {
    const name = falsePositiveKinds[index];
    const image = images[detections.image[d] as number];
    if (name !== undefined && image !== undefined) image.kinds[name]++;
  });
  groundTruth.image.forEach((index, row) => {
    const image = images[index];
    if (image === undefined) return;
    image.positives += 1 - (groundTruth.ignored[row] as number);
    image.kinds.missed += isMissed[row] as number;
  });
  return images
    .map((image) => ({ ...image, errors: Object.values(image.kinds).reduce((sum, count) => sum + count, 0) }))
    .filter(({ errors }) => errors > 0)
    .sort((a, b) => b.errors - a.errors)
    .slice(0, limit);
}

function noErrors(): Record<ErrorKind, number> {
  return Object.fromEntries(errorKinds.map((name) => [name, 0])) as Record<ErrorKind, number>;
}
