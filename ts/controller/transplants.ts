import type { ArtifactStore } from "../core/artifacts.js";
import type { RunEvent } from "../gen/cassl/v1/run.js";
import type { StepStore } from "../pipeline/step.js";
import { parseTransplant, type Transplant } from "../report/report.js";
import { stepOutputs } from "./step-outputs.js";

/** The ledgers of a run's trainings, in their order. */
export function reportedTransplants(
  events: readonly RunEvent[],
  steps: StepStore,
  artifacts: ArtifactStore,
): Promise<Transplant[]> {
  const ledgers = [...stepOutputs(events, steps)].flatMap(([step, output]) => {
    const { transplant_ledger } = output as { transplant_ledger?: { sha256: string } | null };
    return transplant_ledger == null ? [] : [{ step, sha256: transplant_ledger.sha256 }];
  });
  return Promise.all(
    ledgers.map(async ({ step, sha256 }) =>
      parseTransplant(step, Buffer.from(await artifacts.read(sha256)).toString("utf8")),
    ),
  );
}
