/** Overlaps of detections with ground truth of any class. */
import type { CocoMatches } from "../coco/matches.js";
import { byDescendingScore } from "./ordering.js";

/** A ground truth that a detection overlaps: its row, or -1 for none, and their IoU. */
export interface Overlap {
  readonly groundTruth: number;
  readonly iou: number;
}

const NO_OVERLAP: Overlap = { groundTruth: -1, iou: 0 };

/** The highest overlap of detection `d` with ground truth that is wanted, the last of equals as in COCO. */
export function bestOverlap(
  { overlaps: { starts, groundTruth, iou } }: CocoMatches,
  d: number,
  isWanted: (row: number) => boolean,
): Overlap {
  let best = NO_OVERLAP;
  for (let pair = starts[d] as number; pair < (starts[d + 1] as number); pair++) {
    const candidate = { groundTruth: groundTruth[pair] as number, iou: iou[pair] as number };
    if (candidate.iou >= best.iou && isWanted(candidate.groundTruth)) best = candidate;
  }
  return best;
}

/**
 * The row of the ground truth that each detection takes if classes do not matter, or -1: (D,). Detections take, best score
 * first, the free one of the highest IoU, or an ignored one if no other will do, which any number may take.
 * Detections below the score take nothing.
 */
export function matchAcrossClasses(matches: CocoMatches, minIou: number, minScore: number): Int32Array {
  const { detections, groundTruth } = matches;
  const isTaken = new Uint8Array(groundTruth.row.length);
  const taken = new Int32Array(detections.row.length).fill(-1);
  for (const d of byDescendingScore(detections.score)) {
    if (!((detections.score[d] as number) >= minScore)) break;
    const free = bestOverlap(matches, d, (row) => groundTruth.ignored[row] === 0 && isTaken[row] === 0);
    const chosen = free.iou >= minIou ? free : bestOverlap(matches, d, (row) => groundTruth.ignored[row] === 1);
    if (chosen.iou < minIou) continue;
    taken[d] = chosen.groundTruth;
    isTaken[chosen.groundTruth] = 1;
  }
  return taken;
}
