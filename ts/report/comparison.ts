import type { ArmResult } from "../pipeline/pipeline.js";

/**
 * What may be said of the result table, loss and draw as plainly as a win. Differences are those of the numbers as they are shown.
 * The arms are compared with `supervised`, or without it with `class_specific`.
 */
export function comparison(arms: readonly ArmResult[]): string {
  const baseline = arms.find(({ arm }) => arm === "supervised") ?? arms.find(({ arm }) => arm === "class_specific");
  const others = arms.filter((result) => result !== baseline);
  if (baseline === undefined || others.length === 0) return "There is one arm only, so nothing is compared.";
  return others.map((result) => compare(result, baseline)).join("\n");
}

function compare(result: ArmResult, baseline: ArmResult): string {
  const terms = `at the same total of ${baseline.total_iterations} iterations, one seed: no interval`;
  const difference = Math.round(10 * shownAp(result)) - Math.round(10 * shownAp(baseline));
  if (difference === 0) return `${result.arm} has the same AP as ${baseline.arm} ${terms}. It does not win.`;
  const points = (Math.abs(difference) / 10).toFixed(1);
  if (difference > 0) return `${result.arm} is ${points} AP above ${baseline.arm} ${terms}.`;
  return `${result.arm} is ${points} AP below ${baseline.arm} ${terms}. It does not win.`;
}

function shownAp({ ap }: ArmResult): number {
  return Number((100 * ap).toFixed(1));
}
