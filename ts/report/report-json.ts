/** The report as JSON for programs: docs/report.md says what each member is. Pure. */

import type { LeakEvidence } from "../data/evidence.js";
import type { FateCount } from "../data/ledger.js";
import type { Certificate } from "../evaluation/onnx/certify.js";
import type { TrainProgress } from "../gen/cassl/v1/worker_service.js";
import type { Config } from "../pipeline/config.js";
import type { RunResult } from "../pipeline/pipeline.js";
import { comparison } from "./comparison.js";
import { type Cost, costOf } from "./cost.js";
import { differences, type TargetDifference } from "./evaluation.js";
import { question } from "./question.js";
import type { Environment, ReportInput, SampleBox } from "./report-input.js";
import { trainingCurves } from "./training-curves.js";
import type { Transplant } from "./transplants.js";

/** Raised when a member changes its meaning or goes; new members do not raise it. */
const REPORT_VERSION = 1;

export interface ReportJson {
  readonly format: "cassl-report";
  readonly version: typeof REPORT_VERSION;
  readonly run: { readonly id: string; readonly created_at: string; readonly finished_at: string };
  readonly question: string;
  readonly verdict: readonly string[];
  /** result.json. */
  readonly result: RunResult;
  readonly differences: readonly TargetDifference[];
  readonly evaluations: readonly ReportedEvaluation[];
  readonly cost: Cost & { readonly steps: readonly PlannedStep[] };
  readonly training: readonly ReportedTraining[];
  readonly data: { readonly fates: readonly FateCount[]; readonly leaks: readonly Omit<LeakEvidence, "previews">[] };
  readonly transplants: readonly Transplant[];
  readonly certificates: readonly (Certificate & ArmOf)[];
  readonly samples: readonly ReportedSamples[];
  readonly environment: Environment;
  readonly config: Config;
}

interface ArmOf {
  readonly arm: string;
  readonly target: string;
}

interface ReportedEvaluation extends ArmOf {
  readonly curve: { readonly recall: readonly number[]; readonly precision: readonly number[] };
  readonly errors: Readonly<Record<string, { readonly count: number; readonly ap50_gained: number }>>;
}

interface PlannedStep {
  readonly name: string;
  /** Null where nothing was known before, and of reused steps. */
  readonly planned_seconds: number | null;
  readonly seconds: number;
  readonly reused: boolean;
}

interface ReportedTraining {
  readonly step: string;
  readonly points: readonly TrainProgress[];
}

interface ReportedSamples {
  readonly title: string;
  readonly images: readonly {
    readonly title: string;
    readonly width_px: number;
    readonly height_px: number;
    readonly boxes: readonly SampleBox[];
  }[];
}

export function reportJson(input: ReportInput): ReportJson {
  const { run, result, planned, curation, transplants, certificates, environment } = input;
  const armOf = (index: number): ArmOf => {
    const { arm = "", target = "" } = result.arms[index] ?? {};
    return { arm, target };
  };
  return {
    format: "cassl-report",
    version: REPORT_VERSION,
    run: { id: run.run_id, created_at: run.created_at.toISOString(), finished_at: run.finished_at.toISOString() },
    question: question(input),
    verdict: comparison(result.arms).split("\n"),
    result,
    differences: differences(input),
    evaluations: input.judged.map(({ curve, errors }, index) => ({ ...armOf(index), curve, errors: errorsOf(errors) })),
    cost: { ...costOf(result, planned), steps: plannedSteps(result, planned) },
    training: trainingCurves(input.progress),
    data: { fates: curation.fates, leaks: curation.leaks.map(({ previews: _, ...leak }) => leak) },
    transplants,
    certificates: certificates.map((certificate, index) => ({ ...armOf(index), ...certificate })),
    samples: input.samples.map(({ title, images }) => ({
      title,
      images: images.map(({ image_path: _, ...image }) => image),
    })),
    environment,
    config: run.config,
  };
}

function errorsOf({
  kinds,
  falsePositives,
  falseNegatives,
}: ReportInput["judged"][number]["errors"]): ReportedEvaluation["errors"] {
  const all = { ...kinds, false_positives: falsePositives, false_negatives: falseNegatives };
  return Object.fromEntries(
    Object.entries(all).map(([kind, { count, apGained }]) => [kind, { count, ap50_gained: apGained }]),
  );
}

function plannedSteps({ steps }: RunResult, planned: ReadonlyMap<string, number>): PlannedStep[] {
  return steps.map(({ name, seconds, reused }) => ({
    name,
    planned_seconds: planned.get(name) ?? null,
    seconds,
    reused,
  }));
}
