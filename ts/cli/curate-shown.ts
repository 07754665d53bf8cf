import type { CuratedData } from "../data/curate.js";
import type { Config } from "../pipeline/config.js";
import { type CurationContext, curateData } from "../pipeline/image-sets.js";
import { createSteps, type EmitEvent, type StepStore } from "../pipeline/step.js";
import { createView } from "./create-view.js";

/** What of a workspace the first step needs. */
interface CurationStores extends Omit<CurationContext, "steps"> {
  readonly state: StepStore;
}

/** The first step of a run by itself, with its progress in the terminal. */
export async function curateShown(
  config: Config,
  { state, artifacts, inspections, imageCache }: CurationStores,
  signal: AbortSignal,
): Promise<CuratedData> {
  const view = createView(false);
  let sequence = 0;
  const emit: EmitEvent = (event) => view.show({ sequence: ++sequence, at: new Date(), event });
  try {
    const steps = createSteps(state, artifacts, emit, signal);
    return await curateData(config, { artifacts, inspections, imageCache, steps });
  } finally {
    view.close();
  }
}
