/** The way down the detections of a class by score, at many thresholds and all of M maxDets at once. */
import type { ClassTask, Outcomes } from "./matching.js";
import type { Word } from "./thresholds.js";

/** The distance from 1 to the next double: what pycocotools adds to a denominator. */
const EPSILON = 2 ** -52;

/**
 * Recall and the highest precision change only at true positives, so only those are kept: of the threshold of a bit and the
 * limit at m, from (m * T + bit) * length on. Entry n is the n-th true positive, entry 0 the first detection, whatever it is.
 */
export interface Descent {
  /** T. */
  readonly thresholds: number;
  readonly length: number;
  /** (M,). Detections by now that are not ignored at all thresholds, of those that the limit is the first to include. */
  readonly counted: Int32Array;
  /** (M, T). Detections by now that are ignored, if they are not at all thresholds. */
  readonly ignored: Int32Array;
  /** (M, T). True positives by now; -1 if the limit includes no detections. */
  readonly found: Int32Array;
  /** (M, T, length). Highest precision from there on. */
  readonly precision: Float64Array;
  /** (M, T, length). */
  readonly score: Float64Array;
}

/** @param positives as many as there can be. */
export function newDescent(thresholds: number, limits: number, positives: number): Descent {
  const curves = limits * thresholds;
  const length = positives + 1;
  return {
    thresholds,
    length,
    counted: new Int32Array(limits),
    ignored: new Int32Array(curves),
    found: new Int32Array(curves),
    precision: new Float64Array(curves * length),
    score: new Float64Array(curves * length),
  };
}

/** Goes down the area range at `a`. */
export function descend({ ranked, thresholds }: ClassTask, { bits }: Outcomes, a: number, descent: Descent): void {
  const { scores, firstLimit } = ranked;
  const { words, allBits, ious } = thresholds;
  const w = words.findIndex(({ endRange }) => a < endRange);
  const shift = (a - (words[w] as Word).firstRange) * ious.length;
  descent.counted.fill(0);
  descent.ignored.fill(0);
  descent.found.fill(0).fill(-1, 0, descent.thresholds * (firstLimit[0] ?? descent.counted.length));
  for (let place = 0; place < scores.length; place++) {
    const at = 2 * (place * words.length + w);
    const ignoredBits = ((bits[at + 1] as number) >>> shift) & allBits;
    if (ignoredBits === allBits) continue;
    const first = firstLimit[place] as number;
    descent.counted[first] = (descent.counted[first] as number) + 1;
    const rightBits = ((bits[at] as number) >>> shift) & allBits;
    if (ignoredBits !== 0) noteIgnored(ignoredBits, first, descent);
    if (rightBits !== 0) noteRight(rightBits, first, scores[place] as number, descent);
  }
  finish(descent, scores[0] ?? 0);
}

function noteIgnored(bits: number, firstLimit: number, { thresholds, counted, ignored }: Descent): void {
  for (let m = firstLimit; m < counted.length; m++) {
    for (let rest = bits; rest !== 0; rest &= rest - 1) {
      const curve = m * thresholds + lowestBit(rest);
      ignored[curve] = (ignored[curve] as number) + 1;
    }
  }
}

function noteRight(bits: number, firstLimit: number, score: number, descent: Descent): void {
  const { thresholds, length, counted, ignored, found, precision } = descent;
  let total = 0;
  for (let m = 0; m < counted.length; m++) {
    total += counted[m] as number;
    if (m < firstLimit) continue;
    for (let rest = bits; rest !== 0; rest &= rest - 1) {
      const curve = m * thresholds + lowestBit(rest);
      const truePositives = (found[curve] as number) + 1;
      const at = curve * length + truePositives;
      found[curve] = truePositives;
      precision[at] = truePositives / (total - (ignored[curve] as number) + EPSILON);
      descent.score[at] = score;
    }
  }
}

function lowestBit(bits: number): number {
  return 31 - Math.clz32(bits & -bits);
}

/** Turns each precision into the highest from there on. */
function finish({ found, length, precision, score }: Descent, firstScore: number): void {
  for (let curve = 0; curve < found.length; curve++) {
    const start = curve * length;
    let highest = 0;
    for (let at = start + (found[curve] as number); at > start; at--) {
      highest = Math.max(highest, precision[at] as number);
      precision[at] = highest;
    }
    precision[start] = highest;
    score[start] = firstScore;
  }
}
