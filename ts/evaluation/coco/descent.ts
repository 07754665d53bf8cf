/** The way down the detections of a class by score: in all A area ranges, with all M maxDets and at T thresholds at once. */
import type { Grid, Word } from "./grid.js";
import type { Outcomes } from "./outcomes.js";
import { ascending, sortByScore } from "./sorting.js";

/**
 * Recall and the highest precision change only at true positives, so only those are kept. There are A M T curves, row-major;
 * what belongs to the n-th true positive of a curve is n after the curve's start.
 */
export interface Descent {
  /** M. */
  readonly limits: number;
  /** T. */
  readonly thresholds: number;
  /** Where each curve starts. */
  readonly starts: Int32Array;
  /** (A, M). Detections by now that are not ignored at all thresholds, of those that the limit is the first to include. */
  readonly counted: Int32Array;
  /** Of each curve, the detections by now that are ignored, if not at all thresholds. */
  readonly ignored: Int32Array;
  /** Of each curve, the true positives by now; -1 if there are no detections. */
  readonly found: Int32Array;
  /** At each true positive, how many detections were right or wrong by then. */
  readonly totals: Int32Array;
  /** The place of each true positive in the outcomes; at 0, that of the first detection, whatever it is. */
  readonly places: Int32Array;
}

/** Goes down class `k`. @param limits M. @param positives (A,) of the class. */
export function descend(outcomes: Outcomes, k: number, grid: Grid, limits: number, positives: Int32Array): Descent {
  const start = outcomes.starts[k] as number;
  // Equal scores stay in the order of their images, then of their ranks there.
  const order = sortByScore(ascending((outcomes.ends[k] as number) - start, start), outcomes.scores);
  const first = order[0];
  const firstLimit = first === undefined ? limits : (outcomes.states[first * outcomes.stride] as number);
  const descent = newDescent(grid.ious.length, limits, positives);
  descent.starts.forEach((at, curve) => {
    descent.places[at] = first ?? 0;
    if (Math.floor(curve / grid.ious.length) % limits < firstLimit) descent.found[curve] = -1;
  });
  noteAll(order, outcomes, grid, descent);
  return descent;
}

function newDescent(thresholds: number, limits: number, positives: Int32Array): Descent {
  const curves = limits * thresholds;
  const starts = new Int32Array(positives.length * curves);
  let next = 0;
  for (let curve = 0; curve < starts.length; curve++) {
    starts[curve] = next;
    next += 1 + (positives[Math.floor(curve / curves)] as number);
  }
  return {
    limits,
    thresholds,
    starts,
    counted: new Int32Array(positives.length * limits),
    ignored: new Int32Array(starts.length),
    found: new Int32Array(starts.length),
    totals: new Int32Array(next),
    places: new Int32Array(next),
  };
}

function noteAll(order: Int32Array, { states, stride }: Outcomes, grid: Grid, descent: Descent): void {
  const { words, ious, allBits } = grid;
  for (let i = 0; i < order.length; i++) {
    const place = order[i] as number;
    const at = place * stride;
    const limit = states[at] as number;
    for (let w = 0; w < words.length; w++) {
      const { firstRange, endRange } = words[w] as Word;
      let right = states[at + 1 + 2 * w] as number;
      let ignored = states[at + 2 + 2 * w] as number;
      for (let a = firstRange; a < endRange; a++) {
        note(right & allBits, ignored & allBits, allBits, a, limit, place, descent);
        right >>= ious.length;
        ignored >>= ious.length;
      }
    }
  }
}

/** Notes a detection in the area range at `a`, whose bits are shifted to be the lowest. */
function note(
  right: number,
  ignored: number,
  allBits: number,
  a: number,
  limit: number,
  place: number,
  descent: Descent,
): void {
  // -1 if it is not ignored at all thresholds, else 0. A branch could not be foreseen.
  const isCounted = (ignored - allBits) >> 31;
  const cell = a * descent.limits + limit;
  descent.counted[cell] = (descent.counted[cell] as number) - isCounted;
  if ((right | (ignored & isCounted)) !== 0) noteBits(right, ignored, a, limit, place, descent);
}

function noteBits(right: number, ignored: number, a: number, limit: number, place: number, descent: Descent): void {
  const { limits, thresholds, counted, found, starts, totals, places } = descent;
  let total = 0;
  for (let m = 0; m < limits; m++) {
    const cell = a * limits + m;
    total += counted[cell] as number;
    if (m < limit) continue;
    for (let bits = ignored; bits !== 0; bits &= bits - 1) {
      const curve = cell * thresholds + lowestBit(bits);
      descent.ignored[curve] = (descent.ignored[curve] as number) + 1;
    }
    for (let bits = right; bits !== 0; bits &= bits - 1) {
      const curve = cell * thresholds + lowestBit(bits);
      const n = (found[curve] as number) + 1;
      const at = (starts[curve] as number) + n;
      found[curve] = n;
      totals[at] = total - (descent.ignored[curve] as number);
      places[at] = place;
    }
  }
}

function lowestBit(bits: number): number {
  return 31 - Math.clz32(bits & -bits);
}
