/** What a run was to find out, in a sentence. */
import type { ArmResult } from "../pipeline/pipeline.js";
import type { ReportedCuration, ReportInput } from "./report-input.js";

/** Pure. */
export function question({ result, curation }: Pick<ReportInput, "result" | "curation">): string {
  const labeled = result.arms[0]?.labeled_images ?? 0;
  const [unlabeled, validation] = [imagesUsed(curation, "unlabeled"), imagesUsed(curation, "validation")];
  const terms = `judged by the COCO AP on ${validation} validation images`;
  const [baseline, others] = contestants(result.arms);
  const images = `${labeled} labeled and ${unlabeled} unlabeled images`;
  if (others.length === 0) return `How well does ${baseline} detect, trained on ${images}, ${terms}?`;
  const budget = result.arms[0]?.total_iterations ?? 0;
  const versus = `${others.join(", ")} against ${baseline}, each with ${budget} training iterations in all, ${terms}`;
  return baseline === "supervised"
    ? `Do ${unlabeled} unlabeled images help ${labeled} labeled ones? ${versus}.`
    : `What makes the best of ${images}? ${versus}.`;
}

function contestants(arms: readonly ArmResult[]): [baseline: string, others: string[]] {
  const names = [...new Set(arms.map(({ arm }) => arm))];
  const baseline = names.find((arm) => arm === "supervised") ?? names[0] ?? "";
  return [baseline, names.filter((arm) => arm !== baseline)];
}

function imagesUsed({ fates }: ReportedCuration, split: "unlabeled" | "validation"): number {
  return fates.reduce((sum, fate) => sum + (fate.split === split && fate.fate === "used" ? fate.images : 0), 0);
}
