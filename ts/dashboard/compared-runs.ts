/** Several runs side by side: what differs, and whether one is better or only luckier with the images. */
import { incomparabilities } from "../comparison/comparability.js";
import { judgeInThread } from "../comparison/judge-in-thread.js";
import type { ControllerParts } from "../controller/controller.js";
import { CasslError } from "../core/errors.js";
import { stateName } from "../core/run-state.js";
import { pairedDifference, type ResampledAp } from "../evaluation/diagnosis/index.js";
import type { Run } from "../gen/cassl/v1/run.js";
import type { Config } from "../pipeline/config.js";
import type { ArmResult, RunResult } from "../pipeline/pipeline.js";
import { BOOTSTRAP } from "../report/report.js";
import { trainingCurves } from "../report/training-curves.js";
import { createRecent } from "./recent.js";
import { recentEvents, resultOf, scoreOf } from "./run-facts.js";
import type { ApDifference, ApDifferences, ComparedCurve, ComparedDetector, RunComparison } from "./wire/comparison.js";

export interface ComparedRuns {
  describe(runs: readonly Run[]): Promise<RunComparison>;
  /** @param baseline position among the detectors. REQUEST_INVALID if there is none. Takes seconds, of large sets a minute. */
  differences(runs: readonly Run[], baseline: number): Promise<ApDifferences>;
}

interface JudgedRun {
  readonly run: Run;
  /** Absent until the run has one. */
  readonly result: RunResult | undefined;
}

interface Detector {
  readonly result: RunResult;
  readonly arm: ArmResult;
}

const MOST_POINTS = 400;
/** Of resampled APs, each of which takes 8 KB. */
const MOST_KEPT = 500;

type ComparedParts = Pick<ControllerParts, "state" | "artifacts">;

export function createComparedRuns({ state, artifacts }: ComparedParts): ComparedRuns {
  const resampled = createRecent<ResampledAp>(MOST_KEPT, () => 1);

  function judgedRuns(runs: readonly Run[]): Promise<JudgedRun[]> {
    return Promise.all(runs.map(async (run) => ({ run, result: await resultOf(run, artifacts) })));
  }

  function curvesOf({ run_id }: Run): ComparedCurve[] {
    const underWay = recentEvents(run_id, state).flatMap(({ event }) => {
      return event?.$case === "step_progress" ? [event.value] : [];
    });
    const keys = new Map([...state.finishedSteps(run_id), ...underWay].map(({ step, key }) => [step, key]));
    const entries = [...keys].flatMap(([step, key]) => state.progressOf(key).map((entry) => ({ ...entry, step })));
    return trainingCurves(entries).map(({ step, points }) => ({
      step,
      points: thin(points).map(({ iteration, losses, learning_rate }) => [
        iteration,
        losses["total"] ?? 0,
        learning_rate,
      ]),
    }));
  }

  function resample({ result, arm }: Detector): Promise<ResampledAp> {
    const { validation } = result.data;
    return resampled.get(`${validation.sha256} ${arm.detections.sha256}`, async () => {
      const request = {
        validation: await artifacts.path(validation.sha256),
        detections: [await artifacts.path(arm.detections.sha256)],
        bootstrap: BOOTSTRAP,
      };
      const [judged] = await judgeInThread(request, new AbortController().signal);
      return (judged as NonNullable<typeof judged>).resampled;
    });
  }

  return {
    async describe(runs) {
      const judged = await judgedRuns(runs);
      return {
        runs: runs.map((run) => ({
          id: run.run_id,
          state: stateName(run.state),
          config: run.config,
          curves: curvesOf(run),
        })),
        warnings: warningsOf(judged),
        detectors: detectorsOf(judged).map(describeDetector),
      };
    },
    async differences(runs, baseline) {
      const detectors = detectorsOf(await judgedRuns(runs));
      const chosen = detectors[baseline];
      if (chosen === undefined) throw noSuchBaseline(baseline, detectors.length);
      const other = await resample(chosen);
      const differences: (ApDifference | null)[] = [];
      // One after the other, as each keeps a processor busy.
      for (const detector of detectors) {
        const isComparable = detector.result.data.validation.sha256 === chosen.result.data.validation.sha256;
        if (detector === chosen || !isComparable) differences.push(null);
        else differences.push(pairedDifference([await resample(detector)], [other], BOOTSTRAP));
      }
      return {
        confidence: BOOTSTRAP.confidence,
        resamples: BOOTSTRAP.resamples,
        differences: differences.map((pair) => pair && withoutSamples(pair)),
      };
    },
  };
}

function warningsOf(judged: readonly JudgedRun[]): string[] {
  const unfinished = judged.filter(({ result }) => result === undefined);
  const finished = judged.flatMap(({ run, result }) => {
    return result === undefined ? [] : [{ result, config: run.config as unknown as Config }];
  });
  return [
    ...unfinished.map(({ run }) => `${run.run_id} has no result yet (${stateName(run.state)}).`),
    ...incomparabilities(finished),
  ];
}

function detectorsOf(judged: readonly JudgedRun[]): Detector[] {
  return judged.flatMap(({ result }) => (result === undefined ? [] : result.arms.map((arm) => ({ result, arm }))));
}

function describeDetector({ result: { run }, arm }: Detector): ComparedDetector {
  const { seed, labeled_images, total_iterations } = arm;
  return { run, seed, labeled_images, total_iterations, ...scoreOf(arm) };
}

function withoutSamples({ difference, lower, upper }: ApDifference): ApDifference {
  return { difference, lower, upper };
}

/** Evenly, with the last one. */
function thin<T>(items: readonly T[]): T[] {
  const step = Math.ceil(items.length / MOST_POINTS);
  return items.filter((_, index) => index % step === 0 || index === items.length - 1);
}

function noSuchBaseline(baseline: number, count: number): CasslError {
  return new CasslError(
    "REQUEST_INVALID",
    `\`baseline\` is ${baseline}, and the runs have ${count} detectors.`,
    "Count from 0.",
  );
}
