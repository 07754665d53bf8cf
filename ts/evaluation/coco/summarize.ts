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
}

/** Which cells to average. What is left out stands for all of the axis. */
interface Selection {
  readonly iou?: number;
  readonly k?: number;
  readonly area: string;
  readonly maxDet: number | undefined;
}

/** Its members are in the order of pycocotools' `stats`. */
export function summarize(curves: Curves, axes: Axes): CocoSummary {
  const [first, second, third] = axes.maxDets;
  const ap = (selection: Partial<Selection>) =>
    averageOf(curves.precision, axes.recallThresholds.length, axes, { area: "all", maxDet: third, ...selection });
  const ar = (area: string, maxDet: number | undefined) => averageOf(curves.recall, 1, axes, { area, maxDet });
  return {
    ap: ap({ maxDet: 100 }),
    ap50: ap({ iou: 0.5 }),
    ap75: ap({ iou: 0.75 }),
    apSmall: ap({ area: "small" }),
    apMedium: ap({ area: "medium" }),
    apLarge: ap({ area: "large" }),
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
  return rows.map(({ categoryId, name, k }) => {
    const ap = (iou: Partial<Selection>) =>
      averageOf(curves.precision, axes.recallThresholds.length, axes, {
        area: "all",
        maxDet: axes.maxDets.at(-1),
        k,
        ...iou,
      });
    return { categoryId, name, ap: ap({}), ap50: ap({ iou: 0.5 }), ap75: ap({ iou: 0.75 }) };
  });
}

/** Mean of the selected cells above -1, or -1 if there are none. @param points R for precision, 1 for recall. */
function averageOf(values: Float64Array, points: number, axes: Axes, selection: Selection): number {
  const { iouThresholds, categoryIds, areaRanges, maxDets } = axes;
  const a = areaRanges.findIndex((range) => range.name === selection.area);
  if (a < 0) return -1;
  const first = selection.k ?? 0;
  const end = selection.k === undefined ? categoryIds.length : first + 1;
  const limits = maxDets.flatMap((limit, m) => (limit === selection.maxDet ? [m] : []));
  const selected = new Float64Array(iouThresholds.length * points * (end - first) * limits.length);
  let count = 0;
  for (let point = 0; point < iouThresholds.length * points; point++) {
    const iou = iouThresholds[Math.floor(point / points)];
    if (selection.iou !== undefined && selection.iou !== iou) continue;
    for (let k = first; k < end; k++) {
      const cell = ((point * categoryIds.length + k) * areaRanges.length + a) * maxDets.length;
      for (const m of limits) {
        const value = values[cell + m] as number;
        if (value > -1) selected[count++] = value;
      }
    }
  }
  return count === 0 ? -1 : pairwiseSum(selected, 0, count) / count;
}

/** Adds up in numpy's order, which decides the last bits. */
export function pairwiseSum(values: Float64Array, start: number, count: number): number {
  if (count > 128) {
    const half = Math.floor(count / 16) * 8;
    return pairwiseSum(values, start, half) + pairwiseSum(values, start + half, count - half);
  }
  const whole = count < 8 ? 0 : count - (count % 8);
  let sum = whole > 0 ? sumInEights(values, start, whole) : 0;
  for (let i = start + whole; i < start + count; i++) sum += values[i] as number;
  return sum;
}

/** @param count a multiple of 8, not 0. */
function sumInEights(values: Float64Array, start: number, count: number): number {
  const sums = values.slice(start, start + 8);
  for (let i = 8; i < count; i++) sums[i % 8] = (sums[i % 8] as number) + (values[start + i] as number);
  const [a, b, c, d, e, f, g, h] = sums as unknown as [number, number, number, number, number, number, number, number];
  return a + b + (c + d) + (e + f + (g + h));
}
