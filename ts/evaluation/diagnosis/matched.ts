/** What the diagnoses ask the tables of matches. */
import { CasslError } from "../../core/errors.js";
import type { CocoMatches } from "../coco/matches.js";

/** (K,). Ground truth to be found. */
export function countPositives({ categories, groundTruth }: CocoMatches): Int32Array {
  const counts = new Int32Array(categories.length);
  groundTruth.category.forEach((k, row) => {
    if (groundTruth.ignored[row] === 0) counts[k] = (counts[k] as number) + 1;
  });
  return counts;
}

/** Position of an IoU threshold of the evaluation. CONFIG_INVALID if it has no such threshold. */
export function thresholdIndex({ axes: { iouThresholds } }: CocoMatches, iou: number): number {
  const t = iouThresholds.findIndex((threshold) => Math.abs(threshold - iou) < 1e-9);
  if (t >= 0) return t;
  const message = `The evaluation has no matches at IoU ${iou}, only at ${iouThresholds.join(", ")}.`;
  throw new CasslError("CONFIG_INVALID", message, "Name one of these, or evaluate with this one in iouThresholds.");
}

/** (D,). The outcomes at threshold t. */
export function outcomesAt({ detections: { outcome, row } }: CocoMatches, t: number): Uint8Array {
  return outcome.subarray(t * row.length, (t + 1) * row.length);
}
