/** From the artifacts of a run to what the statistics need. */
import { CasslError } from "../core/errors.js";
import { decodeManifest } from "../data/manifest.js";
import { type CocoGroundTruth, type CocoResult, evaluateCoco } from "../evaluation/coco/index.js";
import { toCocoGroundTruth } from "../evaluation/dataset-format.js";
import { type BootstrapOptions, resampleAp, withOracleClasses } from "../evaluation/diagnosis/index.js";
import type { RunResult } from "../pipeline/pipeline.js";
import type { DesignedRun } from "./design.js";
import type { Trial } from "./results.js";

export type ReadArtifact = (sha256: string) => Promise<Uint8Array>;

/** What a run has left. */
export interface FinishedRun {
  readonly run: DesignedRun;
  readonly result: RunResult;
}

/**
 * CONFIG_INVALID if runs that are to be compared were not given the same images: all of them the same validation set, and
 * those of one seed and share of the labels the same labeled and unlabeled ones.
 */
export function requireSameData(runs: readonly FinishedRun[]): void {
  const seen = new Map<string, string>();
  for (const { run, result } of runs) {
    const { validation, labeled, unlabeled } = result.data;
    const place = JSON.stringify([run.percent, run.seed]);
    for (const [what, { sha256 }] of [
      ["validation", validation],
      [`labeled ${place}`, labeled],
      [`unlabeled ${place}`, unlabeled],
    ] as const) {
      if ((seen.get(what) ?? sha256) !== sha256) throw otherData(run, what.split(" ")[0] as string);
      seen.set(what, sha256);
    }
  }
}

export async function readGroundTruth({ data }: RunResult, read: ReadArtifact): Promise<CocoGroundTruth> {
  return toCocoGroundTruth(decodeManifest(await read(data.validation.sha256)));
}

/** One for each target of the run. */
export async function trialsOf(
  { run, result }: FinishedRun,
  groundTruth: CocoGroundTruth,
  read: ReadArtifact,
  bootstrap: Required<BootstrapOptions>,
): Promise<Trial[]> {
  const seconds = result.steps.reduce((sum, step) => sum + step.seconds, 0);
  const trials: Trial[] = [];
  for (const arm of result.arms) {
    const detections = JSON.parse(Buffer.from(await read(arm.detections.sha256)).toString()) as CocoResult[];
    trials.push({ run, result: arm, seconds, ...(await judge(detections, groundTruth, bootstrap)) });
  }
  return trials;
}

async function judge(
  detections: readonly CocoResult[],
  groundTruth: CocoGroundTruth,
  bootstrap: Required<BootstrapOptions>,
): Promise<Pick<Trial, "resampled" | "oracle_class_ap">> {
  const { matches } = await evaluateCoco(groundTruth, detections, { matches: true });
  const oracle = await evaluateCoco(groundTruth, withOracleClasses(detections, matches));
  return { resampled: resampleAp(matches, bootstrap), oracle_class_ap: oracle.summary.ap };
}

function otherData({ run_id }: DesignedRun, what: string): CasslError {
  return new CasslError(
    "CONFIG_INVALID",
    `The run \`${run_id}\` was given another ${what} set than a run that it is to be compared with.`,
    "The data have changed since the comparison was begun. Begin it anew under another name: --set name=NAME.",
  );
}
