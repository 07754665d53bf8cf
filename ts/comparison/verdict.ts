/** What may be concluded, and what not, in words. */
import type { ArmDifference, ComparisonGroup, StoppedRun } from "./results.js";

/** Below it an interval over images is wide. */
const FEW_IMAGES = 30;

/** AP times 100, as everywhere where it is shown. Of one seed nothing is concluded: another one may turn the sign. */
export function verdict({
  arm,
  baseline,
  seeds,
  difference,
  interval: [lower, upper],
  confidence,
}: Omit<ArmDifference, "verdict">): string {
  const points = (value: number): string => (100 * value).toFixed(1);
  const evidence = `${Math.round(100 * confidence)} % interval ${points(lower)} to ${points(upper)}, ${seeds.length} seed${seeds.length === 1 ? "" : "s"}`;
  const size = points(Math.abs(difference.mean));
  if (seeds.length === 1) {
    const side = difference.mean < 0 ? "below" : "above";
    return `${arm} is ${size} AP ${side} ${baseline}, ${evidence}: no verdict from one seed.`;
  }
  if (lower > 0) return `${arm} helps by ${size} AP over ${baseline}, ${evidence}.`;
  if (upper < 0) return `${arm} hurts by ${size} AP against ${baseline}, ${evidence}.`;
  return `No evidence that ${arm} helps over ${baseline}: ${points(difference.mean)} AP, ${evidence}.`;
}

export function comparisonNotes(
  groups: readonly ComparisonGroup[],
  stopped: readonly StoppedRun[],
  validationImages: number,
): string[] {
  const seeds = Math.max(0, ...groups.flatMap(({ arms }) => arms.map((arm) => arm.seeds.length)));
  return [
    ...(validationImages < FEW_IMAGES
      ? [`The validation set has ${validationImages} images only: the intervals are wide. Use ${FEW_IMAGES} or more.`]
      : []),
    ...(seeds === 1 ? ["One seed: the numbers say nothing about other seeds. Use --seeds 3 for a verdict."] : []),
    ...(seeds === 2 ? ["Two seeds: intervals are rather too narrow. Use three or more."] : []),
    ...stopped.map(({ run, message }) => `${describeRun(run)} was stopped by a gate and has no AP: ${message}`),
  ];
}

export function describeRun({ arm, seed, percent }: StoppedRun["run"]): string {
  return [arm, `seed ${seed}`, ...(percent === undefined ? [] : [`${percent} % of the labels`])].join(", ");
}
