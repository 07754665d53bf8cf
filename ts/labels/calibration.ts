/** Scores to probabilities of being right, learned from held-out detections. Both ways keep the order of scores. */
import { CasslError } from "../core/errors.js";
import type { FloatColumn } from "../core/pair-iou.js";
import { lowerBound } from "../core/search.js";

/** A line through points, level beyond its ends. */
export interface IsotonicCalibration {
  readonly kind: "isotonic";
  /** Ascending. */
  readonly score: Float64Array;
  /** Never falling, in [0, 1]. */
  readonly probability: Float64Array;
}

/** sigmoid(logit(score) / temperature). */
export interface TemperatureCalibration {
  readonly kind: "temperature";
  readonly temperature: number;
}

export type ScoreCalibration = IsotonicCalibration | TemperatureCalibration;

interface Block {
  readonly first: number;
  readonly last: number;
  readonly weight: number;
  readonly mean: number;
}

/**
 * Isotonic regression by pool adjacent violators (Zadrozny and Elkan, KDD 2002): of all functions that never fall, the one of
 * least squared error. Equal to scikit-learn's IsotonicRegression(out_of_bounds="clip").
 * @param scores (N,) finite; @param isRight (N,) 0 or 1. CONFIG_INVALID if there are none.
 */
export function fitIsotonic(scores: FloatColumn, isRight: Uint8Array): IsotonicCalibration {
  checkFit(scores, isRight);
  const blocks: Block[] = [];
  for (const point of distinctScores(scores, isRight)) {
    let block = point;
    for (let before = blocks.at(-1); before !== undefined && before.mean >= block.mean; before = blocks.at(-1)) {
      blocks.pop();
      block = merge(before, block);
    }
    blocks.push(block);
  }
  const ends = blocks.flatMap(({ first, last, mean }) =>
    first === last ? [[first, mean]] : [first, last].map((x) => [x, mean]),
  );
  return {
    kind: "isotonic",
    score: Float64Array.from(ends, ([score]) => score as number),
    probability: Float64Array.from(ends, ([, mean]) => mean as number),
  };
}

function merge(a: Block, b: Block): Block {
  const weight = a.weight + b.weight;
  return { first: a.first, last: b.last, weight, mean: (a.mean * a.weight + b.mean * b.weight) / weight };
}

/** One block for each score, ascending. */
function distinctScores(scores: FloatColumn, isRight: Uint8Array): Block[] {
  const order = Uint32Array.from(scores.keys()).sort((a, b) => (scores[a] as number) - (scores[b] as number));
  const blocks: Block[] = [];
  for (const index of order) {
    const score = scores[index] as number;
    const point = { first: score, last: score, weight: 1, mean: isRight[index] as number };
    const before = blocks.at(-1);
    if (before?.last === score) blocks.push(merge(blocks.pop() as Block, point));
    else blocks.push(point);
  }
  return blocks;
}

/** Scores this near 0 and 1 count as this: their logit is infinite. */
const NEAREST = 1e-6;
const TEMPERATURES = { lowest: 1e-3, highest: 1e3 } as const;

/**
 * Temperature scaling (Guo et al., ICML 2017) for two classes: the temperature of least negative log-likelihood, which is convex
 * in 1 / temperature, so that bisection of its slope finds it. Within [0.001, 1000], also where all detections are right or wrong.
 * @param scores (N,) in [0, 1]; @param isRight (N,) 0 or 1. CONFIG_INVALID if there are none.
 */
export function fitTemperature(scores: FloatColumn, isRight: Uint8Array): TemperatureCalibration {
  checkFit(scores, isRight);
  const logits = Float64Array.from(scores, logit);
  const slope = (inverse: number): number =>
    logits.reduce((sum, z, index) => sum + (sigmoid(inverse * z) - (isRight[index] as number)) * z, 0);
  let [low, high] = [Math.log(1 / TEMPERATURES.highest), Math.log(1 / TEMPERATURES.lowest)];
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2;
    if (slope(Math.exp(middle)) < 0) low = middle;
    else high = middle;
  }
  return { kind: "temperature", temperature: Math.exp(-(low + high) / 2) };
}

/** (N,) probabilities in [0, 1]. @param scores (N,) in [0, 1]. */
export function calibrateScores(scores: FloatColumn, calibration: ScoreCalibration): Float64Array {
  if (calibration.kind === "isotonic") return Float64Array.from(scores, (score) => interpolate(calibration, score));
  return Float64Array.from(scores, (score) => sigmoid(logit(score) / calibration.temperature));
}

function interpolate({ score, probability }: IsotonicCalibration, at: number): number {
  const above = lowerBound(score, at);
  if (above === score.length) return probability.at(-1) as number;
  if (above === 0) return probability[0] as number;
  const [x0, x1] = [score[above - 1] as number, score[above] as number];
  const [y0, y1] = [probability[above - 1] as number, probability[above] as number];
  return y0 + ((at - x0) / (x1 - x0)) * (y1 - y0);
}

function logit(score: number): number {
  const inside = Math.min(Math.max(score, NEAREST), 1 - NEAREST);
  return Math.log(inside / (1 - inside));
}

function sigmoid(value: number): number {
  return 1 / (1 + Math.exp(-value));
}

function checkFit(scores: FloatColumn, isRight: Uint8Array): void {
  if (scores.length > 0 && scores.length === isRight.length) return;
  const message = `A calibration was to be fitted to ${scores.length} scores and ${isRight.length} outcomes.`;
  throw new CasslError("CONFIG_INVALID", message, "Give at least one held-out detection, and one outcome for each.");
}
