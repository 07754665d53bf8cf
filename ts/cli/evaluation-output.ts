/** What `cassl eval` prints. Pure functions. */
import type { CocoEvaluation, CocoSummary, LvisSummary } from "../evaluation/coco/index.js";
import type { ConfusionMatrix, Diagnosis, ModelComparison } from "../evaluation/diagnosis/index.js";
import { formatAp } from "../report/format.js";
import { textTable } from "./table.js";

/** COCO has AP and the last recall for each size of object, the rest for all sizes together. */
export function cocoText(summary: CocoSummary, maxDets: readonly number[]): string {
  const { ap, ap50, ap75, apSmall, apMedium, apLarge, ar1, ar10, ar100, arSmall, arMedium, arLarge } = summary;
  const [few, some, many] = [...maxDets].sort((a, b) => a - b);
  const rows = [
    row("AP", ap, apSmall, apMedium, apLarge),
    row("AP50", ap50),
    row("AP75", ap75),
    row(`AR${few}`, ar1),
    row(`AR${some}`, ar10),
    row(`AR${many}`, ar100, arSmall, arMedium, arLarge),
  ];
  return textTable({ header: ["", "all", "small", "medium", "large"], rows });
}

export function lvisText(summary: LvisSummary): string {
  const { ap, ap50, ap75, apSmall, apMedium, apLarge, apRare, apCommon, apFrequent } = summary;
  const { ar, arSmall, arMedium, arLarge } = summary;
  const rows = [
    row("AP", ap, apSmall, apMedium, apLarge, apRare, apCommon, apFrequent),
    row("AP50", ap50),
    row("AP75", ap75),
    row("AR300", ar, arSmall, arMedium, arLarge),
  ];
  return textTable({ header: ["", "all", "small", "medium", "large", "rare", "common", "frequent"], rows });
}

export function evaluationJson(
  { stats, perClass, warnings, lvis }: CocoEvaluation,
  diagnosis?: Diagnosis,
  comparison?: ModelComparison,
): object {
  return {
    stats,
    per_class: snakeCased(perClass),
    warnings,
    ...(lvis && { lvis: snakeCased(lvis) }),
    ...(diagnosis && { diagnosis: diagnosisJson(diagnosis) }),
    ...(comparison && { comparison: snakeCased(comparison) }),
  };
}

function row(name: string, ...values: readonly number[]): string[] {
  return [name, ...values.map(formatAp)];
}

function diagnosisJson({ confusion, ...rest }: Diagnosis): object {
  return { ...(snakeCased(rest) as object), confusion: confusionJson(confusion) };
}

/** `counts` as rows of true classes, of columns of detected classes; the last of each is the background. */
function confusionJson({ categories, counts }: ConfusionMatrix): object {
  const side = categories.length + 1;
  const rows = Array.from({ length: side }, (_, truth) => [...counts.subarray(truth * side, (truth + 1) * side)]);
  return { categories, counts: rows };
}

/** A copy with the keys of all objects in snake_case. */
function snakeCased(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(snakeCased);
  if (typeof value !== "object" || value === null) return value;
  const toSnakeCase = (key: string): string => key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [toSnakeCase(key), snakeCased(member)]));
}
