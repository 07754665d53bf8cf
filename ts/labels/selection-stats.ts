/** What a selection of pseudo labels came to. */
import type { DroppedPredictions } from "./select-rows.js";
import type { StoredBoxes } from "./store.js";

/** `predictions` = `pseudo_labels` + everything in `dropped`. */
export interface SelectionStats {
  readonly images: number;
  readonly pseudo_labels: number;
  /** Images without any pseudo label. */
  readonly empty_images: number;
  readonly predictions: number;
  /** Mean score of the pseudo labels; 0 if there are none. */
  readonly mean_score: number;
  readonly dropped: DroppedPredictions;
  /** How many images have 0, 1, 2, ... pseudo labels. */
  readonly images_by_labels: readonly number[];
  /** Predictions by score, in twenty parts of [0, 1] of equal width; a score on a border counts in the upper part. */
  readonly predictions_by_score: readonly number[];
  /** Pseudo labels by score, likewise. */
  readonly labels_by_score: readonly number[];
}

const SCORE_PARTS = 20;

/** The same of a part of the images, in numbers that add up. */
export interface PartialStats extends Omit<SelectionStats, "empty_images" | "mean_score"> {
  readonly score_sum: number;
}

/** @param images how many these are the predictions of. */
export function countSelection(
  predictions: StoredBoxes,
  labels: StoredBoxes,
  dropped: DroppedPredictions,
  images: number,
): PartialStats {
  return {
    images,
    pseudo_labels: labels.score.length,
    predictions: predictions.score.length,
    score_sum: labels.score.reduce((sum, score) => sum + score, 0),
    dropped,
    images_by_labels: countImages(labels.image, images),
    predictions_by_score: scoreHistogram(predictions.score),
    labels_by_score: scoreHistogram(labels.score),
  };
}

/** @param image of each label, ascending. */
function countImages(image: Int32Array, images: number): number[] {
  const counts = [images];
  for (let start = 0, end = 0; start < image.length; start = end) {
    end = start + 1;
    while (image[end] === image[start]) end++;
    while (counts.length <= end - start) counts.push(0);
    counts[end - start] = (counts[end - start] as number) + 1;
    counts[0] = (counts[0] as number) - 1;
  }
  return counts;
}

function scoreHistogram(scores: Float32Array): number[] {
  const counts = new Array<number>(SCORE_PARTS).fill(0);
  for (let row = 0; row < scores.length; row++) {
    const part = Math.min(SCORE_PARTS - 1, Math.floor((scores[row] as number) * SCORE_PARTS));
    counts[part] = (counts[part] as number) + 1;
  }
  return counts;
}

/** Of all images, from its parts. */
export function addUp(parts: readonly PartialStats[]): SelectionStats {
  const total = (of: (part: PartialStats) => number): number => parts.reduce((sum, part) => sum + of(part), 0);
  const lists = (of: (part: PartialStats) => readonly number[], least: number): number[] => {
    const length = Math.max(least, ...parts.map((part) => of(part).length));
    return Array.from({ length }, (_, at) => total((part) => of(part)[at] ?? 0));
  };
  const labels = total((part) => part.pseudo_labels);
  const images_by_labels = lists((part) => part.images_by_labels, 1);
  return {
    images: total((part) => part.images),
    pseudo_labels: labels,
    empty_images: images_by_labels[0] as number,
    predictions: total((part) => part.predictions),
    mean_score: labels === 0 ? 0 : total((part) => part.score_sum) / labels,
    dropped: {
      score: total((part) => part.dropped.score),
      min_side: total((part) => part.dropped.min_side),
      nms: total((part) => part.dropped.nms),
      max_per_image: total((part) => part.dropped.max_per_image),
    },
    images_by_labels,
    predictions_by_score: lists((part) => part.predictions_by_score, SCORE_PARTS),
    labels_by_score: lists((part) => part.labels_by_score, SCORE_PARTS),
  };
}
