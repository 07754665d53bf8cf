/** Suppression that lowers scores in the place of dropping boxes. */
import { byDescendingScore } from "../core/nms.js";
import type { FloatColumn, PairIou } from "../core/pair-iou.js";

/** How much of its score a box keeps beside a better one with which it has the IoU `iou`. */
export type Decay =
  /** 1 - iou, from the threshold on; all of it below. */
  | { readonly kind: "linear"; readonly iouThreshold: number }
  /** exp(-iou^2 / sigma). */
  | { readonly kind: "gaussian"; readonly sigma: number };

export interface DecayedBoxes {
  /** In the order in which they were chosen: by descending decayed score, of equal ones the lower index first. */
  readonly kept: number[];
  /** The decayed scores of the kept. */
  readonly scores: Float64Array;
}

/**
 * Soft-NMS, Bodla et al., ICCV 2017 (arXiv 1704.04503): again and again the best of the rest is kept and lowers the scores of what
 * overlaps it.
 * @param pairIou of N boxes (`boxPairIou`) or masks (`maskPairIou`).
 * @param scores (N,) in [0, 1].
 * @param groups (N,) only within a group are scores lowered. Undefined: all are one group.
 * @param scoreThreshold it ends when the best of the rest is below this.
 */
export function softNms(
  pairIou: PairIou,
  scores: FloatColumn,
  groups: Int32Array | undefined,
  decay: Decay,
  scoreThreshold: number,
): DecayedBoxes {
  const current = Float64Array.from(scores);
  const rest = new Set(scores.keys());
  const kept: number[] = [];
  for (let best = bestOf(rest, current); best !== undefined; best = bestOf(rest, current)) {
    if ((current[best] as number) < scoreThreshold) break;
    rest.delete(best);
    kept.push(best);
    for (const other of rest) {
      if (groups !== undefined && groups[other] !== groups[best]) continue;
      current[other] = (current[other] as number) * keptShare(pairIou(best, other), decay);
    }
  }
  return { kept, scores: Float64Array.from(kept, (index) => current[index] as number) };
}

function keptShare(iou: number, decay: Decay): number {
  if (decay.kind === "gaussian") return Math.exp((-iou * iou) / decay.sigma);
  return iou >= decay.iouThreshold ? 1 - iou : 1;
}

/** The lowest index of the highest score. */
function bestOf(rest: ReadonlySet<number>, scores: Float64Array): number | undefined {
  let best: number | undefined;
  for (const index of rest) {
    if (best === undefined || (scores[index] as number) > (scores[best] as number)) best = index;
  }
  return best;
}

/** How matrix NMS counts overlap: 1 - iou, or exp(-iou^2 / sigma). */
export type MatrixKernel = { readonly kind: "linear" } | { readonly kind: "gaussian"; readonly sigma: number };

/**
 * Matrix NMS, SOLOv2, Wang et al., NeurIPS 2020 (arXiv 2003.10152, equations 3 to 5): the scores of all boxes, each lowered by
 * min over better boxes i of f(iou with i) / f(the highest iou of i with what is better than i). A box that is surely a
 * duplicate itself, f = 0, lowers nothing. The code of SOLOv2 writes its gaussian with sigma for our 1 / sigma.
 * @returns (N,) at the boxes' own places.
 */
export function matrixNms(
  pairIou: PairIou,
  scores: FloatColumn,
  groups: Int32Array | undefined,
  kernel: MatrixKernel,
): Float64Array {
  const order = byDescendingScore(scores);
  const decayed = Float64Array.from(scores);
  const duplicate = new Float64Array(scores.length);
  order.forEach((box, rank) => {
    let [factor, highest] = [1, 0];
    for (const better of order.subarray(0, rank)) {
      if (groups !== undefined && groups[better] !== groups[box]) continue;
      const iou = pairIou(better, box);
      highest = Math.max(highest, iou);
      const certainty = matrixDecay(duplicate[better] as number, kernel);
      if (certainty > 0) factor = Math.min(factor, matrixDecay(iou, kernel) / certainty);
    }
    duplicate[box] = highest;
    decayed[box] = (scores[box] as number) * factor;
  });
  return decayed;
}

function matrixDecay(iou: number, kernel: MatrixKernel): number {
  return kernel.kind === "linear" ? 1 - iou : Math.exp((-iou * iou) / kernel.sigma);
}
