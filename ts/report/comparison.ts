import type { ArmResult } from "../pipeline/pipeline.js";
import { armName } from "./arm-name.js";

/**
 * What may be said of the result table, loss and draw as plainly as a win. Differences are those of the numbers as they are shown.
 * The arms are compared with `supervised`, or without it with `class_specific`.
 */
export function comparison(arms: readonly ArmResult[]): string {
  const targets = [...new Set(arms.map(({ target }) => target))];
  const lines = targets.flatMap((target) => compareWithin(arms, target));
  return lines.length === 0 ? "There is one arm only, so nothing is compared." : lines.join("\n");
}

/** Detectors of different families are not compared. */
function compareWithin(arms: readonly ArmResult[], target: string): string[] {
  const same = arms.filter((result) => result.target === target);
  const baseline = same.find(({ arm }) => arm === "supervised") ?? same.find(({ arm }) => arm === "class_specific");
  if (baseline === undefined) return [];
  const name = (result: ArmResult): string => armName(result, arms);
  return same.filter((result) => result !== baseline).map((result) => compare(result, baseline, name));
}

function compare(result: ArmResult, baseline: ArmResult, name: (result: ArmResult) => string): string {
  const terms = `at the same total of ${baseline.total_iterations} iterations, one seed: no interval over seeds`;
  const difference = Math.round(10 * shownAp(result)) - Math.round(10 * shownAp(baseline));
  if (difference === 0) return `${name(result)} has the same AP as ${name(baseline)} ${terms}. It does not win.`;
  const points = (Math.abs(difference) / 10).toFixed(1);
  if (difference > 0) return `${name(result)} is ${points} AP above ${name(baseline)} ${terms}.`;
  return `${name(result)} is ${points} AP below ${name(baseline)} ${terms}. It does not win.`;
}

function shownAp({ ap }: ArmResult): number {
  return Number((100 * ap).toFixed(1));
}
