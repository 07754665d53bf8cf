/** Checks between the stages: a run whose pseudo labels are sick stops before warm-up is paid for. */
import { CasslError } from "../core/errors.js";
import type { SelectionStats } from "../labels/select.js";
import type { Config } from "./config.js";
import type { EmitEvent } from "./step.js";

export interface GateResult {
  readonly name: string;
  readonly value: number;
  readonly limit: number;
  readonly passed: boolean;
}

interface Gate extends GateResult {
  /** What to say when the gate is not passed. */
  readonly message: string;
  readonly remedy: string;
}

/**
 * Judges pseudo labels against the labeled set.
 * @param groundTruthPerImage mean ground-truth boxes of a labeled image.
 */
export function pseudoLabelGates(stats: SelectionStats, groundTruthPerImage: number, limits: Config["gates"]): Gate[] {
  const boxRatio = stats.pseudo_labels / stats.images / groundTruthPerImage;
  const emptyShare = stats.empty_images / stats.images;
  const threshold = "stages.pseudo_label.select.score_threshold";
  const ratio = `${boxRatio.toFixed(2)} times as many boxes per image as the ground truth`;
  return [
    {
      name: "min_box_ratio",
      value: boxRatio,
      limit: limits.min_box_ratio,
      passed: boxRatio >= limits.min_box_ratio,
      message: `The pseudo labels have ${ratio}, below the limit ${limits.min_box_ratio}.`,
      remedy: `Lower ${threshold}, train the pseudo-labeler longer, or lower gates.min_box_ratio.`,
    },
    {
      name: "max_box_ratio",
      value: boxRatio,
      limit: limits.max_box_ratio,
      passed: boxRatio <= limits.max_box_ratio,
      message: `The pseudo labels have ${ratio}, above the limit ${limits.max_box_ratio}.`,
      remedy: `Raise ${threshold}, or raise gates.max_box_ratio.`,
    },
    {
      name: "max_empty_share",
      value: emptyShare,
      limit: limits.max_empty_share,
      passed: emptyShare <= limits.max_empty_share,
      message: `${(100 * emptyShare).toFixed(1)} % of the unlabeled images have no pseudo label, above the limit ${100 * limits.max_empty_share} %.`,
      remedy: `Lower ${threshold}, or raise gates.max_empty_share.`,
    },
  ];
}

/** Reports every gate; GATE_FAILED for the first that is not passed. */
export function checkGates(gates: readonly Gate[], emit: EmitEvent): GateResult[] {
  const results = gates.map(({ name, value, limit, passed }) => ({ name, value, limit, passed }));
  for (const value of results) emit({ $case: "gate_checked", value });
  const failed = gates.find((gate) => !gate.passed);
  if (failed !== undefined) throw new CasslError("GATE_FAILED", failed.message, failed.remedy);
  return results;
}
