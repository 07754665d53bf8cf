/** The work of one run: the pipeline, then result.json, config.json and the report in the run's folder. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { judgeInThread } from "../comparison/judge-in-thread.js";
import type { ArtifactStore } from "../core/artifacts.js";
import type { InspectionCache } from "../data/inspect-image.js";
import type { Worker } from "../gen/cassl/v1/controller_service.js";
import type { Config } from "../pipeline/config.js";
import { checkGates } from "../pipeline/gates.js";
import { type RunResult, runPipeline } from "../pipeline/pipeline.js";
import { createSteps } from "../pipeline/step.js";
import type { StepsUnderWay } from "../pipeline/steps-under-way.js";
import { type ReportInput, writeReport } from "../report/report.js";
import { curatedData, reportedCuration } from "./curation.js";
import { environment } from "./environment.js";
import type { FrameTally } from "./frame-tally.js";
import { deviceOf, expectation, type Measurements, measuredSteps } from "./measurements.js";
import { pipelineWorkers } from "./pipeline-workers.js";
import { judgeRequest, reportedCertificates } from "./reported-evaluation.js";
import type { RunFolders } from "./run-folders.js";
import type { ExecuteRun } from "./runs.js";
import { gatherSamples } from "./samples.js";
import type { ShardLedger } from "./shards.js";
import type { StateStore } from "./state.js";
import type { Submit } from "./tasks.js";
import { reportedTransplants } from "./transplants.js";

export interface RunResources {
  readonly state: StateStore;
  readonly artifacts: ArtifactStore;
  readonly folders: RunFolders;
  readonly inspections: InspectionCache;
  readonly imageCache: string;
  readonly shards: ShardLedger;
  readonly tally: FrameTally;
  readonly submit: Submit;
  readonly measurements: Measurements;
  /** The steps of all runs. */
  readonly stepsUnderWay: StepsUnderWay;
  /** The attached workers. */
  attached(): readonly Worker[];
}

export function runExecution({
  state,
  artifacts,
  folders,
  inspections,
  imageCache,
  shards,
  tally,
  submit,
  measurements,
  stepsUnderWay: underWay,
  attached,
}: RunResources): ExecuteRun {
  return async ({ run_id, priority, created_at }, config, emit, signal) => {
    const expect = expectation(measurements, attached().map(deviceOf));
    const sharing = { underWay, run: { runId: run_id, priority } };
    const steps = measuredSteps(createSteps(state, artifacts, emit, signal, sharing), config, measurements, expect);
    const workers = pipelineWorkers({ submit, shards, tally, needs: config.needs, executor: config.executor });
    const result = await runPipeline(run_id, config, {
      steps,
      workers,
      artifacts,
      inspections,
      imageCache,
      emit,
      checkGates,
    });
    const finishedAt = new Date();
    const curated = curatedData(result, state);
    const events = state.eventsAfter(run_id, 0);
    const report: ReportInput = {
      run: { run_id, config, created_at: created_at ?? finishedAt, finished_at: finishedAt },
      result,
      planned: steps.planned,
      progress: result.steps.flatMap(({ name, key }) =>
        state.progressOf(key).map((entry) => ({ ...entry, step: name })),
      ),
      events,
      samples: await gatherSamples(result, curated, artifacts),
      curation: await reportedCuration(curated, artifacts),
      transplants: await reportedTransplants(run_id, state, artifacts),
      judged: await judgeInThread(await judgeRequest(result, artifacts), signal),
      certificates: await reportedCertificates(result, artifacts),
      environment: environment(attached()),
    };
    await folders.write(run_id, (directory) => writeResults(directory, config, result, report));
    return { finishedAt, result: await artifacts.put(Buffer.from(jsonText(result))) };
  };
}

async function writeResults(directory: string, config: Config, result: RunResult, report: ReportInput): Promise<void> {
  await writeFile(join(directory, "config.json"), jsonText(config));
  await writeReport(report, directory);
  await writeFile(join(directory, "result.json"), jsonText(result));
}

function jsonText(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
