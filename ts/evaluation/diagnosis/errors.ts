/** What kind of error each false detection and each missed object is: TIDE, Bolya et al., ECCV 2020, section 2.2. */

import { FALSE_POSITIVE, TRUE_POSITIVE } from "../coco/match-tables.js";
import type { CocoMatches } from "../coco/matches.js";
import { bestOverlap } from "./across-classes.js";
import { thresholdIndex } from "./matched.js";

/** Of false detections, in the order of `DetectionErrors.kind`. */
export const falsePositiveKinds = ["classification", "localization", "both", "duplicate", "background"] as const;
export type FalsePositiveKind = (typeof falsePositiveKinds)[number];

export const errorKinds = [...falsePositiveKinds, "missed"] as const;
export type ErrorKind = (typeof errorKinds)[number];

export interface DetectionErrors {
  /** (D,). Into `falsePositiveKinds`, or -1: no error. */
  readonly kind: Int8Array;
  /** (D,). The ground truth that would have been found but for a wrong class or place, or -1. */
  readonly target: Int32Array;
  /** (G,). 1: found by a detection that is right. */
  readonly isFound: Uint8Array;
  /** (G,). 1: to be found, but neither found nor the target of an error. */
  readonly isMissed: Uint8Array;
}

export interface ErrorOptions {
  /** IoU from which a detection is right; one of the evaluation's thresholds, else CONFIG_INVALID. @default 0.5 */
  readonly iou?: number;
  /** IoU up to which a detection is of the background. @default 0.1 */
  readonly backgroundIou?: number;
  /** Detections below it are left out, as if they were not there. @default -Infinity */
  readonly minScore?: number;
}

/** Ignored detections are no errors, and ignored ground truth is not missed. */
export function classifyErrors(matches: CocoMatches, options: ErrorOptions = {}): DetectionErrors {
  const { iou = 0.5, backgroundIou = 0.1, minScore = -Infinity } = options;
  const { detections, groundTruth } = matches;
  const offset = thresholdIndex(matches, iou) * detections.row.length;
  const errors: DetectionErrors = {
    kind: new Int8Array(detections.row.length).fill(-1),
    target: new Int32Array(detections.row.length).fill(-1),
    isFound: new Uint8Array(groundTruth.row.length),
    isMissed: groundTruth.ignored.map((ignored) => 1 - ignored),
  };
  detections.score.forEach((score, d) => {
    if (score < minScore) return;
    const outcome = detections.outcome[offset + d];
    if (outcome === TRUE_POSITIVE) {
      const found = detections.groundTruth[offset + d] as number;
      errors.isFound[found] = 1;
      errors.isMissed[found] = 0;
    } else if (outcome === FALSE_POSITIVE) {
      const { kind, target } = explain(matches, d, iou, backgroundIou);
      errors.kind[d] = falsePositiveKinds.indexOf(kind);
      errors.target[d] = target;
      if (target >= 0) errors.isMissed[target] = 0;
    }
  });
  return errors;
}

interface Explanation {
  readonly kind: FalsePositiveKind;
  readonly target: number;
}

function explain(matches: CocoMatches, d: number, iou: number, backgroundIou: number): Explanation {
  const { detections, groundTruth } = matches;
  const isSameClass = (row: number): boolean => groundTruth.category[row] === detections.category[d];
  const best = (isWanted: (row: number) => boolean) =>
    bestOverlap(matches, d, (row) => groundTruth.ignored[row] === 0 && isWanted(row));
  const same = best(isSameClass);
  const other = best((row) => !isSameClass(row));
  const isNear = same.groundTruth >= 0 && same.iou >= backgroundIou;
  if (isNear && same.iou <= iou) return { kind: "localization", target: same.groundTruth };
  if (other.iou >= iou) return { kind: "classification", target: other.groundTruth };
  if (same.iou > iou) return { kind: "duplicate", target: -1 };
  return { kind: other.iou <= backgroundIou ? "background" : "both", target: -1 };
}
