/** The way down the detections of a class by score, at many thresholds and all of M maxDets at once. */
import type { Grid, Word } from "./grid.js";
import type { Ranked } from "./ranking.js";

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
export function descend(ranked: Ranked, grid: Grid, a: number, descent: Descent): void {
  const { scores, firstLimit } = ranked;
  descent.counted.fill(0);
  descent.ignored.fill(0);
  descent.found.fill(0).fill(-1, 0, descent.thresholds * (firstLimit[0] ?? descent.counted.length));
  const w = grid.words.findIndex(({ endRange }) => a < endRange);
  const shift = (a - (grid.words[w] as Word).firstRange) * grid.ious.length;
  noteAll(ranked, 2 * w, 2 * grid.words.length, shift, grid.allBits, descent);
  for (let curve = 0; curve < descent.found.length; curve++) finish(descent, curve, scores[0] ?? 0);
}

/** @param first of the bits, and the `stride` to those of the next detection. */
function noteAll(
  { scores, firstLimit, bits }: Ranked,
  first: number,
  stride: number,
  shift: number,
  allBits: number,
  descent: Descent,
): void {
  const { counted } = descent;
  for (let rank = 0; rank < scores.length; rank++) {
    const at = first + rank * stride;
    const right = ((bits[at] as number) >>> shift) & allBits;
    const ignored = ((bits[at + 1] as number) >>> shift) & allBits;
    const limit = firstLimit[rank] as number;
    // -1 where it is not ignored at all thresholds, else 0: no branch, which could not be foreseen.
    const isCounted = (ignored - allBits) >> 31;
    counted[limit] = (counted[limit] as number) - isCounted;
    if ((right | (ignored & isCounted)) === 0) continue;
    noteIgnored(ignored, limit, descent);
    noteRight(right, limit, scores[rank] as number, descent);
  }
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

/** Turns each precision of a curve into the highest from there on. */
function finish({ found, length, precision, score }: Descent, curve: number, firstScore: number): void {
  const start = curve * length;
  score[start] = firstScore;
  precision[start] = 0;
  let highest = 0;
  for (let at = start + (found[curve] as number); at >= start; at--) {
    highest = Math.max(highest, precision[at] as number);
    precision[at] = highest;
  }
}
