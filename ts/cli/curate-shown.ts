import type { CuratedData } from "../data/curate.js";
import type { Config } from "../pipeline/config.js";
import { curateData, type PipelineContext } from "../pipeline/operations.js";
import { createSteps, type EmitEvent, type StepStore } from "../pipeline/step.js";
import { createView } from "./progress-view.js";

/** What of a workspace the first step needs. */
interface CurationStores extends Pick<PipelineContext, "artifacts" | "inspections"> {
  readonly state: StepStore;
}

/** The first step of a run by itself, with its progress in the terminal. */
export async function curateShown(
  config: Config,
  { state, artifacts, inspections }: CurationStores,
  signal: AbortSignal,
): Promise<CuratedData> {
  const view = createView(false);
  let sequence = 0;
  const emit: EmitEvent = (event) => view.show({ sequence: ++sequence, at: new Date(), event });
  try {
    return await curateData(config, { artifacts, inspections, steps: createSteps(state, artifacts, emit, signal) });
  } finally {
    view.close();
  }
}
