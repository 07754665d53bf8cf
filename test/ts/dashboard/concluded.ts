/** A comparison, as `cassl compare` leaves it in the workspace. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ArmSummary, Comparison, ComparisonResult, Spread } from "../../../ts/comparison/results.js";
import type { Arm } from "../../../ts/pipeline/config.js";
import { writeComparisonReport } from "../../../ts/report/comparison-report.js";

const COMMAND = "cassl compare cassl.yaml --arms supervised,class_agnostic --seeds 2";

/** @param note what is said beside the numbers. */
export async function writeConcluded(folder: string, note = "Two seeds."): Promise<void> {
  const comparison = conclude(note);
  const result: ComparisonResult = {
    ...{ run: "blood", config_hash: "", command: COMMAND, runs: ["first", "second"] },
    ...{ arms: [], comparison, steps: [], gates: [] },
  };
  await mkdir(folder, { recursive: true });
  await writeComparisonReport({ name: "blood", command: COMMAND, comparison }, folder);
  await writeFile(join(folder, "result.json"), JSON.stringify(result));
}

function conclude(note: string): Comparison {
  const difference = { mean: 0.041, standard_deviation: 0.01, values: [0.034, 0.048] };
  const compared = { arm: "class_agnostic", baseline: "supervised", seeds: [0, 1], confidence: 0.95 } as const;
  const verdict = "class_agnostic helps by 4.1 AP over supervised, 95 % interval 1.2 to 7.0, 2 seeds.";
  const group = {
    ...{ percent: 10, labeled_images: 29, target: "light" },
    arms: [summary("supervised", 0.3), summary("class_agnostic", 0.341)],
    differences: [{ ...compared, difference, interval: [0.012, 0.07] as const, verdict }],
  };
  return { validation_images: 88, resamples: 1000, groups: [group], stopped: [], notes: [note] };
}

function summary(arm: Arm, mean: number): ArmSummary {
  const ap: Spread = { mean, standard_deviation: 0.01, values: [mean - 0.01, mean + 0.01] };
  const aps = { ap, ap50: ap, ap75: ap, class_agnostic_ap: ap, oracle_class_ap: ap };
  return { arm, seeds: [0, 1], ...aps, total_iterations: 600, seconds: 90 };
}
