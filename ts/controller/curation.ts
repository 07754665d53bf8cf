/** What a run's report says of its data. */
import type { ArtifactStore } from "../core/artifacts.js";
import type { CuratedData } from "../data/curate.js";
import type { LeakEvidence } from "../data/evidence.js";
import { decodeLines } from "../data/json-lines.js";
import type { RunResult } from "../pipeline/pipeline.js";
import type { StepStore } from "../pipeline/step.js";
import type { ReportedCuration } from "../report/report.js";

/** What the run's curate step has left. */
export function curatedData(result: RunResult, steps: StepStore): CuratedData {
  const key = result.steps.find(({ name }) => name === "curate")?.key ?? "";
  return JSON.parse(steps.findStep(key)?.output ?? "") as CuratedData;
}

export async function reportedCuration(
  { fates, leaks }: CuratedData,
  artifacts: ArtifactStore,
): Promise<ReportedCuration> {
  return { fates, leaks: [...decodeLines(await artifacts.read(leaks.sha256))] as LeakEvidence[] };
}
