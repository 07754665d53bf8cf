import type { ArmResult } from "../pipeline/pipeline.js";

/** The arm, with the family of its detector where the results have several. */
export function armName({ arm, target }: ArmResult, arms: readonly ArmResult[]): string {
  return arms.some((other) => other.target !== target) ? `${arm} ${target}` : arm;
}
