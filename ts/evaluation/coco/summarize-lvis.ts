import type { Curves } from "./accumulate.js";
import type { FederatedCategory } from "./coco-format.js";
import type { Axes } from "./options.js";
import { averageOf, type Selection } from "./summarize.js";

/** The numbers of LVIS, in its order, at the largest of maxDets. In [0, 1]; -1 where there was no ground truth to find. */
export interface LvisSummary {
  readonly ap: number;
  readonly ap50: number;
  readonly ap75: number;
  readonly apSmall: number;
  readonly apMedium: number;
  readonly apLarge: number;
  /** Of the classes with `frequency` "r", "c" and "f"; -1 without such classes. */
  readonly apRare: number;
  readonly apCommon: number;
  readonly apFrequent: number;
  readonly ar: number;
  readonly arSmall: number;
  readonly arMedium: number;
  readonly arLarge: number;
}

export function summarizeLvis(curves: Curves, axes: Axes, categories: readonly FederatedCategory[]): LvisSummary {
  const maxDet = axes.maxDets.at(-1);
  const frequencies = new Map(categories.map(({ id, frequency }) => [id, frequency]));
  const ap = (selection: Partial<Selection> = {}) =>
    averageOf(curves.precision, axes.recallThresholds.length, axes, { area: "all", maxDet, ...selection });
  const ar = (area: string) => averageOf(curves.recall, 1, axes, { area, maxDet });
  const classesOf = (frequency: string) =>
    Array.from(axes.categoryIds.keys()).filter((k) => frequencies.get(axes.categoryIds[k] as number) === frequency);
  return {
    ap: ap(),
    ap50: ap({ iou: 0.5 }),
    ap75: ap({ iou: 0.75 }),
    apSmall: ap({ area: "small" }),
    apMedium: ap({ area: "medium" }),
    apLarge: ap({ area: "large" }),
    apRare: ap({ classes: classesOf("r") }),
    apCommon: ap({ classes: classesOf("c") }),
    apFrequent: ap({ classes: classesOf("f") }),
    ar: ar("all"),
    arSmall: ar("small"),
    arMedium: ar("medium"),
    arLarge: ar("large"),
  };
}
