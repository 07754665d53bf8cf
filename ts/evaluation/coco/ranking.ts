import type { Outcomes } from "./outcomes.js";
import { ascending, sortByScore } from "./sorting.js";

/** The D detections of one class by descending score; equal scores in the order of their images, then of their ranks there. */
export interface Ranked {
  /** (D,). */
  readonly scores: Float64Array;
  /** (D,). As in `Outcomes`. */
  readonly firstLimit: Int32Array;
  /** (D, W, 2). As in `Outcomes`. */
  readonly bits: Int32Array;
}

/** Copies what belongs to a class, since it is gone through once for each area range. @param words W. */
export function rankClass(outcomes: Outcomes, k: number, words: number): Ranked {
  const start = outcomes.starts[k] as number;
  const order = sortByScore(ascending((outcomes.ends[k] as number) - start, start), outcomes.scores);
  const ranked = {
    scores: new Float64Array(order.length),
    firstLimit: new Int32Array(order.length),
    bits: new Int32Array(order.length * words * 2),
  };
  copyInOrder(outcomes, order, words * 2, ranked);
  return ranked;
}

function copyInOrder(from: Outcomes, order: Int32Array, width: number, to: Ranked): void {
  let next = 0;
  for (let rank = 0; rank < order.length; rank++) {
    const place = order[rank] as number;
    to.scores[rank] = from.scores[place] as number;
    to.firstLimit[rank] = from.firstLimit[place] as number;
    const end = (place + 1) * width;
    for (let at = place * width; at < end; at++) to.bits[next++] = from.bits[at] as number;
  }
}
