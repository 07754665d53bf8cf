/** How long work takes: measured wherever a step is done, kept for plans. */
import { hostname } from "node:os";
import { performance } from "node:perf_hooks";
import type { ArtifactStore } from "../core/artifacts.js";
import { readImageCount } from "../data/manifest.js";
import type { Worker } from "../gen/cassl/v1/controller_service.js";
import type { StepProgress } from "../gen/cassl/v1/run.js";
import type { Config } from "../pipeline/config.js";
import type { StepContext, Steps } from "../pipeline/step.js";
import { stepLabel } from "../pipeline/step.js";
import { type Work, workOf } from "../pipeline/work.js";
import type { Measurement, MeasurementTable } from "./state.js";

export interface Estimate {
  readonly seconds: number;
  /** Where it was measured. */
  readonly device: string;
  /** Of the artifacts that the step leaves, as the measured one did; 0 if they grow with the images. */
  readonly bytes: number;
}

export interface Measurements {
  /** Does the work and keeps how long it took. */
  measure<T>(work: Work, step: StepContext, doWork: (step: StepContext) => Promise<T>): Promise<T>;
  /** All that has been measured by now. */
  known(): readonly Measurement[];
  /** Iterations of a training; images, where they are known; 1 of anything else. */
  unitsOf(work: Work): Promise<number>;
}

export interface MeasurementResources {
  readonly state: MeasurementTable;
  readonly artifacts: ArtifactStore;
  /** The attached workers. */
  workers(): readonly Worker[];
}

/** The controller's own work is done here. */
const CONTROLLER = `${hostname()}, controller`;

export function deviceOf({ host, devices }: Worker): string {
  return `${host}, ${devices.join(" ") || "no device"}`;
}

export function createMeasurements({ state, artifacts, workers }: MeasurementResources): Measurements {
  async function unitsOf({ training, dataset }: Work): Promise<number> {
    if (training !== undefined) return training.iterations;
    if (typeof dataset !== "string" || (await artifacts.stat(dataset)) === undefined) return 1;
    return readImageCount(await artifacts.path(dataset));
  }

  /** Where what reports no progress must have been done. */
  function onlyDevice(): string | undefined {
    const devices = new Set(workers().map(deviceOf));
    return devices.size === 1 ? [...devices][0] : undefined;
  }

  return {
    unitsOf,

    async measure(work, step, doWork) {
      const start = performance.now();
      const rates: number[] = [];
      let device = work.byWorker ? undefined : CONTROLLER;
      let idleSeconds = 0;
      const output = await doWork({
        ...step,
        progress(progress) {
          rates.push(...ratesOf(progress, work));
          device ??= workers()
            .filter(({ running_task_id }) => running_task_id === step.key)
            .map(deviceOf)[0];
          step.progress(progress);
        },
        noteIdle(seconds) {
          idleSeconds += seconds;
          step.noteIdle(seconds);
        },
      });
      const seconds = Math.max(0, (performance.now() - start) / 1000 - idleSeconds);
      const units = await unitsOf(work);
      const rate = median(rates) ?? seconds / Math.max(1, units);
      device ??= onlyDevice();
      if (device === undefined) return output;
      state.saveMeasurement({
        profile: work.profile,
        device,
        seconds_per_unit: rate,
        overhead_seconds: Math.max(0, seconds - rate * units),
        bytes: bytesIn(output),
      });
      return output;
    },

    known: state.listMeasurements,
  };
}

/** The shortest of what was measured on these devices; on any device if there are none. Undefined without a measurement. */
export function estimate(
  known: readonly Measurement[],
  { profile, byWorker }: Work,
  units: number,
  devices: readonly string[],
): Estimate | undefined {
  const wanted = byWorker ? devices : [CONTROLLER];
  return known
    .filter((measured) => measured.profile === profile)
    .filter(({ device }) => wanted.length === 0 || wanted.includes(device))
    .map(({ device, bytes, overhead_seconds, seconds_per_unit }) => ({
      device,
      bytes,
      seconds: overhead_seconds + seconds_per_unit * units,
    }))
    .sort((a, b) => a.seconds - b.seconds)[0];
}

/** What a work is expected to take, in seconds, by what is known at this moment. */
export type Expectation = (work: Work) => Promise<number | undefined>;

/** Later measurements do not change it: a plan is what was known before. */
export function expectation(measurements: Measurements, devices: readonly string[]): Expectation {
  const known = measurements.known();
  return async (work) => estimate(known, work, await measurements.unitsOf(work), devices)?.seconds;
}

/** Steps that are measured as they are done. `planned` says what was expected of each, by its name in the run, in seconds. */
export function measuredSteps(
  steps: Steps,
  config: Config,
  measurements: Measurements,
  expect: Expectation,
): Steps & { readonly planned: ReadonlyMap<string, number> } {
  const planned = new Map<string, number>();
  return {
    summaries: steps.summaries,
    planned,
    run(scope, name, inputs, work) {
      return steps.run(scope, name, inputs, async (step) => {
        const described = workOf(name, inputs, config);
        const expected = await expect(described);
        if (expected !== undefined) planned.set(stepLabel(scope, name), expected);
        return measurements.measure(described, step, work);
      });
    },
  };
}

/** Seconds per iteration, or per image. */
function ratesOf(progress: StepProgress["progress"], { training }: Work): number[] {
  if (progress?.$case !== "train" && progress?.$case !== "predict") return [];
  const { images_per_second } = progress.value;
  return images_per_second > 0 ? [(training?.imagesPerBatch ?? 1) / images_per_second] : [];
}

function median(values: readonly number[]): number | undefined {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
}

/** Of all artifacts that an output refers to. */
function bytesIn(output: unknown): number {
  if (output === null || typeof output !== "object") return 0;
  const own = "size_bytes" in output && typeof output.size_bytes === "number" ? output.size_bytes : 0;
  return Object.values(output).reduce((sum: number, member) => sum + bytesIn(member), own);
}
