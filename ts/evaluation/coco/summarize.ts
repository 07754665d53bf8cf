/** Curves to the twelve numbers of COCO and to the AP of each class. */
import type { Curves } from "./accumulate.js";
import type { CocoCategory } from "./coco-format.js";
import type { Axes } from "./options.js";

/** Averages in [0, 1]; -1 where there was no ground truth to find, or where the axes lack what the number asks for. */
export interface CocoSummary {
  /** At maxDets 100 literally, as in pycocotools: -1 without it. */
  readonly ap: number;
  readonly ap50: number;
  readonly ap75: number;
  readonly apSmall: number;
  readonly apMedium: number;
  readonly apLarge: number;
  /** Average recall at the first, second and third of maxDets (1, 10 and 100). */
  readonly ar1: number;
  readonly ar10: number;
  readonly ar100: number;
  readonly arSmall: number;
  readonly arMedium: number;
  readonly arLarge: number;
}

/** At the largest of maxDets; -1 for a class without ground truth. */
export interface ClassSummary {
  readonly categoryId: number;
  readonly name: string;
  readonly ap: number;
  readonly ap50: number;
  readonly ap75: number;
  /** Average recall: the mean over the IoU thresholds of the last recall. */
  readonly ar: number;
}

/** Which cells to average. What is left out stands for all of the axis. */
export interface Selection {
  readonly iou?: number | undefined;
  /** Into `Axes.categoryIds`, ascending. */
  readonly classes?: readonly number[];
  readonly area: string;
  readonly maxDet: number | undefined;
}

/** Its members are in the order of pycocotools' `stats`. */
export function summarize(curves: Curves, axes: Axes): CocoSummary {
  const [first, second, third] = axes.maxDets;
  const points = axes.recallThresholds.length;
  const ap = (area: string, maxDet: number | undefined, iou?: number) =>
    averageOf(curves.precision, points, axes, { iou, area, maxDet });
  const ar = (area: string, maxDet: number | undefined) => averageOf(curves.recall, 1, axes, { area, maxDet });
  return {
    ap: ap("all", 100),
    ap50: ap("all", third, 0.5),
    ap75: ap("all", third, 0.75),
    apSmall: ap("small", third),
    apMedium: ap("medium", third),
    apLarge: ap("large", third),
    ar1: ar("all", first),
    ar10: ar("all", second),
    ar100: ar("all", third),
    arSmall: ar("small", third),
    arMedium: ar("medium", third),
    arLarge: ar("large", third),
  };
}

/** One row a class of the axes; none without classes. */
export function summarizeClasses(curves: Curves, axes: Axes, categories: readonly CocoCategory[]): ClassSummary[] {
  const names = new Map(categories.map(({ id, name }) => [id, name]));
  const rows = axes.categoryIds.map((categoryId, k) => ({ categoryId, k, name: names.get(categoryId) ?? "" }));
  const points = axes.recallThresholds.length;
  return rows.map(({ categoryId, name, k }) => {
    const selection = { classes: [k], area: "all", maxDet: axes.maxDets.at(-1) };
    const ap = (iou?: number) => averageOf(curves.precision, points, axes, { ...selection, iou });
    const ar = averageOf(curves.recall, 1, axes, selection);
    return { categoryId, name, ap: ap(), ap50: ap(0.5), ap75: ap(0.75), ar };
  });
}

/** Mean of the selected cells above -1, or -1 if there are none. @param points R for precision, 1 for recall. */
export function averageOf(values: Float64Array, points: number, axes: Axes, selection: Selection): number {
  const { iouThresholds, categoryIds, areaRanges, maxDets } = axes;
  const { iou, classes = [...categoryIds.keys()], area, maxDet } = selection;
  const a = areaRanges.findIndex((range) => range.name === area);
  if (a < 0) return -1;
  const limits = maxDets.flatMap((limit, m) => (limit === maxDet ? [a * maxDets.length + m] : []));
  const cells = areaRanges.length * maxDets.length;
  const positions = classes.flatMap((k) => limits.map((limit) => k * cells + limit));
  const stride = categoryIds.length * cells;
  const selected = new Float64Array(iouThresholds.length * points * positions.length);
  let count = 0;
  iouThresholds.forEach((threshold, t) => {
    if (iou !== undefined && iou !== threshold) return;
    const ofThreshold = values.subarray(t * points * stride, (t + 1) * points * stride);
    count = select(ofThreshold, stride, positions, selected, count);
  });
  return count === 0 ? -1 : pairwiseSum(selected, 0, count) / count;
}

/** Appends what is above -1 at some positions of every `stride` values; returns the new count of what is selected. */
function select(
  values: Float64Array,
  stride: number,
  positions: readonly number[],
  selected: Float64Array,
  count: number,
): number {
  let next = count;
  for (let start = 0; start < values.length; start += stride) {
    for (let i = 0; i < positions.length; i++) {
      const value = values[start + (positions[i] as number)] as number;
      if (value > -1) selected[next++] = value;
    }
  }
  return next;
}

/** Adds up in numpy's order, which decides the last bits. */
export function pairwiseSum(values: Float64Array, start: number, count: number): number {
  if (count > 128) {
    const half = Math.floor(count / 16) * 8;
    return pairwiseSum(values, start, half) + pairwiseSum(values, start + half, count - half);
  }
  const whole = count < 8 ? 0 : count - (count % 8);
  let sum = whole > 0 ? sumOfEights(values, start, start + whole) : 0;
  for (let i = start + whole; i < start + count; i++) sum += values[i] as number;
  return sum;
}

/** Adds up every eighth value, then those sums. */
function sumOfEights(values: Float64Array, start: number, end: number): number {
  const sums = values.slice(start, start + 8);
  for (let i = start + 8; i < end; i += 8) {
    for (let lane = 0; lane < 8; lane++) sums[lane] = (sums[lane] as number) + (values[i + lane] as number);
  }
  const at = (lane: number): number => sums[lane] as number;
  return at(0) + at(1) + (at(2) + at(3)) + (at(4) + at(5) + (at(6) + at(7)));
}
