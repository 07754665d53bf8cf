/** Plans of runs: the steps that a run would do, and what they would take on the workers that are attached. */
import { statfs } from "node:fs/promises";
import type { ArtifactStore } from "../core/artifacts.js";
import { CasslError } from "../core/errors.js";
import { canonicalJson, sha256 } from "../core/hash.js";
import type { InspectionCache } from "../data/inspect-image.js";
import {
  type PlannedStep as PlannedStepMessage,
  PlannedStepState,
  type RunPlan,
  type Worker,
} from "../gen/cassl/v1/controller_service.js";
import type { RunConfig } from "../gen/cassl/v1/run.js";
import type { TrainTask } from "../gen/cassl/v1/task.js";
import { type Config, parseConfig } from "../pipeline/config.js";
import { curateData } from "../pipeline/image-sets.js";
import type { Workers } from "../pipeline/operations.js";
import { totalIterations } from "../pipeline/pipeline.js";
import { type PlannedStep, planPipeline } from "../pipeline/plan.js";
import { createSteps, type StepStore } from "../pipeline/step.js";
import type { Participant } from "../pipeline/steps-under-way.js";
import { isTrainTask, type Work, workOf } from "../pipeline/work.js";
import { checkFiles, type DataRoots } from "./access/data-roots.js";
import { deviceOf, estimate, type Measurements } from "./measurements.js";

export interface Planner {
  /** @param probe whether to train for 20 iterations what was never measured. Otherwise as PlanRun. */
  plan(config: RunConfig | undefined, probe: boolean, signal: AbortSignal): Promise<RunPlan>;
}

export interface PlannerResources {
  readonly state: StepStore;
  readonly artifacts: ArtifactStore;
  /** Where they are. */
  readonly artifactFolder: string;
  readonly inspections: InspectionCache;
  /** The folder that remote images are kept in. */
  readonly imageCache: string;
  /** Where the data may be. */
  readonly roots: DataRoots;
  readonly measurements: Measurements;
  readonly workers: Pick<Workers, "train">;
  /** The attached workers. */
  attached(): readonly Worker[];
}

const PROBE_ITERATIONS = 20;
const STATES = {
  reused: PlannedStepState.REUSED,
  runs: PlannedStepState.RUNS,
  depends: PlannedStepState.DEPENDS,
} as const;

export function createPlanner(resources: PlannerResources): Planner {
  const { state, artifacts, artifactFolder, inspections, imageCache, measurements, attached } = resources;
  const devices = (): string[] => [...new Set(attached().map(deviceOf))];

  async function describe(
    { step, name, state: planned, key = "", inputs }: PlannedStep,
    config: Config,
  ): Promise<PlannedStepMessage> {
    const work = workOf(name, inputs, config);
    const { training } = work;
    const images = await imagesOf(work);
    const units = training?.iterations ?? images ?? (work.dataset === undefined ? 1 : undefined);
    const known = measurements.known();
    const expected = planned === "reused" || units === undefined ? undefined : estimate(known, work, units, devices());
    return {
      step,
      state: STATES[planned],
      key,
      iterations: training?.iterations ?? 0,
      images_per_batch: training?.imagesPerBatch ?? 0,
      learning_rate: training?.learningRate ?? 0,
      images: images ?? 0,
      seconds: expected?.seconds,
      measured_on: expected?.device ?? "",
      disk_bytes: expected?.bytes,
    };
  }

  /** Pseudo labels are of as many images as the unlabeled set, but that is not known before. */
  async function imagesOf(work: Work): Promise<number | undefined> {
    if (typeof work.dataset !== "string" || (await artifacts.stat(work.dataset)) === undefined) return undefined;
    return measurements.unitsOf({ profile: work.profile, byWorker: work.byWorker, dataset: work.dataset });
  }

  /** Trains for a moment what none of the attached workers has been measured at. */
  async function probeUnmeasured(
    steps: readonly PlannedStep[],
    config: Config,
    dataset: string,
    imageRoot: string,
    signal: AbortSignal,
  ): Promise<void> {
    for (const { name, inputs, state: planned } of steps) {
      const work = workOf(name, inputs, config);
      if (planned === "reused" || !isTrainTask(name)) continue;
      if (estimate(measurements.known(), work, 1, devices()) !== undefined) continue;
      if (attached().length === 0) throw noWorker();
      const task = probeTask(inputs as TrainTask, dataset);
      const key = sha256(canonicalJson({ probe: task }));
      const silent = { progress: () => {}, emit: () => {}, noteIdle: () => {} };
      const step = { key, signal, participants: new Set<Participant>(), ...silent };
      await measurements.measure(workOf(name, task, config), step, (context) =>
        resources.workers.train(task, imageRoot, context),
      );
    }
  }

  return {
    async plan(given, probe, signal) {
      const config = parseConfig(given);
      checkFiles(resources.roots, config);
      const steps = createSteps(state, artifacts, () => {}, signal);
      const context = { steps, artifacts, inspections, imageCache };
      const curated = await curateData(config, context);
      const planned = await planPipeline(config, { ...context, store: state });
      if (probe) await probeUnmeasured(planned, config, curated.labeled.sha256, curated.image_root, signal);
      const messages = [];
      for (const step of planned) messages.push(await describe(step, config));
      const { bavail, bsize } = await statfs(artifactFolder);
      const { labeled, unlabeled, validation } = curated.counts;
      return {
        steps: messages,
        labeled_images: labeled,
        unlabeled_images: unlabeled,
        validation_images: validation,
        iterations_per_arm: totalIterations(config),
        devices: devices(),
        seconds: totalSeconds(messages),
        free_bytes: bavail * bsize,
      };
    },
  };
}

/** Unknown as soon as one step's time is. */
function totalSeconds(steps: readonly PlannedStepMessage[]): number | undefined {
  const due = steps.filter(({ state }) => state !== PlannedStepState.REUSED);
  return due.some(({ seconds }) => seconds === undefined)
    ? undefined
    : due.reduce((sum, { seconds = 0 }) => sum + seconds, 0);
}

function probeTask({ detector, solver, seed }: TrainTask, dataset: string): TrainTask {
  const { iterations = 1, lr_ramp_iterations = 0 } = solver ?? {};
  const short = Math.min(PROBE_ITERATIONS, iterations);
  const ramp = Math.min(lr_ramp_iterations, short - 1);
  const shortened = solver && {
    ...solver,
    iterations: short,
    lr_ramp_iterations: ramp,
    checkpoint_every_iterations: short,
  };
  return { detector, solver: shortened, dataset, init_from: undefined, seed };
}

function noWorker(): CasslError {
  return new CasslError(
    "WORKER_NOT_FOUND",
    "No worker is attached that could be measured.",
    "Attach one with `cassl-worker --controller HOST:PORT`, or plan without a probe.",
  );
}
