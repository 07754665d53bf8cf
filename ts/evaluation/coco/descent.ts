/** The way down the detections of a class by score, at many thresholds at once. */
import type { ClassTask, Outcomes } from "./matching.js";
import type { ThresholdSet } from "./thresholds.js";

/** The distance from 1 to the next double: what pycocotools adds to a denominator. */
const EPSILON = 2 ** -52;

/**
 * Recall and the highest precision change only at true positives, so only those are kept, for each threshold from
 * `bit * length` on: entry n is the n-th true positive, entry 0 the first detection, whatever it is.
 */
export interface Descent {
  /** Whether there are no detections. */
  isEmpty: boolean;
  readonly length: number;
  /** True positives by now, of each threshold. */
  readonly found: Int32Array;
  /** Ignored detections by now that other thresholds do not ignore, of each threshold. */
  readonly ignored: Int32Array;
  /** Highest precision from there on. */
  readonly precision: Float64Array;
  readonly score: Float64Array;
}

export function newDescent({ ious }: ThresholdSet, positives: number): Descent {
  const length = positives + 1;
  return {
    isEmpty: true,
    length,
    found: new Int32Array(ious.length),
    ignored: new Int32Array(ious.length),
    precision: new Float64Array(ious.length * length),
    score: new Float64Array(ious.length * length),
  };
}

/** Goes down one area range, with only the `limit` best detections of each image. */
export function descend(task: ClassTask, outcomes: Outcomes, a: number, limit: number, descent: Descent): void {
  const { rows, rankInImage } = task.ranked;
  const { right, ignored } = outcomes;
  descent.found.fill(0);
  descent.ignored.fill(0);
  const offset = a * rows.length;
  let first = -1;
  let counted = 0;
  for (let place = 0; place < rows.length; place++) {
    if ((rankInImage[place] as number) >= limit) continue;
    if (first < 0) first = place;
    const ignoredBits = ignored[offset + place] as number;
    if (ignoredBits === task.thresholds.allBits) continue;
    counted++;
    noteIgnored(ignoredBits, descent);
    noteRight(
      right[offset + place] as number,
      counted,
      task.evidence.dtScore[rows[place] as number] as number,
      descent,
    );
  }
  descent.isEmpty = first < 0;
  if (first >= 0) finish(descent, task.evidence.dtScore[rows[first] as number] as number);
}

function noteIgnored(bits: number, { ignored }: Descent): void {
  for (let rest = bits; rest !== 0; rest &= rest - 1) {
    const bit = lowestBit(rest);
    ignored[bit] = (ignored[bit] as number) + 1;
  }
}

function noteRight(bits: number, counted: number, score: number, descent: Descent): void {
  for (let rest = bits; rest !== 0; rest &= rest - 1) {
    const bit = lowestBit(rest);
    const found = (descent.found[bit] as number) + 1;
    const at = bit * descent.length + found;
    descent.found[bit] = found;
    descent.precision[at] = found / (counted - (descent.ignored[bit] as number) + EPSILON);
    descent.score[at] = score;
  }
}

function lowestBit(bits: number): number {
  return 31 - Math.clz32(bits & -bits);
}

/** Turns each precision into the highest from there on. */
function finish({ found, length, precision, score }: Descent, firstScore: number): void {
  found.forEach((count, bit) => {
    const start = bit * length;
    precision[start] = 0;
    score[start] = firstScore;
    for (let at = start + count; at > start; at--) {
      precision[at - 1] = Math.max(precision[at - 1] as number, precision[at] as number);
    }
  });
}
