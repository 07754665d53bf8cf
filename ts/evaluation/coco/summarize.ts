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
  readonly iou?: number;
  /** Into `Axes.categoryIds`. */
  readonly classes?: readonly number[];
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
    const selection = { area: "all", maxDet: axes.maxDets.at(-1), classes: [k] };
    const ap = (iou: Partial<Selection>) =>
      averageOf(curves.precision, axes.recallThresholds.length, axes, { ...selection, ...iou });
    const ar = averageOf(curves.recall, 1, axes, selection);
    return { categoryId, name, ap: ap({}), ap50: ap({ iou: 0.5 }), ap75: ap({ iou: 0.75 }), ar };
  });
}

/** Mean of the selected cells above -1, or -1 if there are none. @param points R for precision, 1 for recall. */
export function averageOf(values: Float64Array, points: number, axes: Axes, selection: Selection): number {
  const { iou, classes, area, maxDet } = selection;
  const { iouThresholds, categoryIds, areaRanges, maxDets } = axes;
  const selected: number[] = [];
  const a = areaRanges.findIndex((range) => range.name === area);
  if (a < 0) return -1;
  iouThresholds.forEach((threshold, t) => {
    if (iou !== undefined && threshold !== iou) return;
    for (let r = 0; r < points; r++) {
      categoryIds.forEach((_, category) => {
        if (classes?.includes(category) === false) return;
        const cell = (((t * points + r) * categoryIds.length + category) * areaRanges.length + a) * maxDets.length;
        maxDets.forEach((limit, m) => {
          const value = values[cell + m] as number;
          if (limit === maxDet && value > -1) selected.push(value);
        });
      });
    }
  });
  return selected.length === 0 ? -1 : pairwiseSum(selected, 0, selected.length) / selected.length;
}

/** Adds up in numpy's order, which decides the last bits. */
export function pairwiseSum(values: ArrayLike<number>, start: number, count: number): number {
  if (count > 128) {
    const half = Math.floor(count / 16) * 8;
    return pairwiseSum(values, start, half) + pairwiseSum(values, start + half, count - half);
  }
  const at = (i: number) => values[start + i] as number;
  const whole = count < 8 ? 0 : count - (count % 8);
  let sum = 0;
  if (whole > 0) {
    const lanes = [0, 1, 2, 3, 4, 5, 6, 7].map(at);
    for (let i = 8; i < whole; i++) lanes[i % 8] = (lanes[i % 8] as number) + at(i);
    const [a, b, c, d, e, f, g, h] = lanes as [number, number, number, number, number, number, number, number];
    sum = a + b + (c + d) + (e + f + (g + h));
  }
  for (let i = whole; i < count; i++) sum += at(i);
  return sum;
}
