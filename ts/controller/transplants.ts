import type { ArtifactStore } from "../core/artifacts.js";
import { parseTransplant, type Transplant } from "../report/report.js";
import { type FinishedSteps, stepOutputs } from "./step-outputs.js";

/** The ledgers of a run's trainings, in their order. */
export function reportedTransplants(
  runId: string,
  state: FinishedSteps,
  artifacts: ArtifactStore,
): Promise<Transplant[]> {
  const ledgers = [...stepOutputs(runId, state)].flatMap(([step, output]) => {
    const { transplant_ledger } = output as { transplant_ledger?: { sha256: string } | null };
    return transplant_ledger == null ? [] : [{ step, sha256: transplant_ledger.sha256 }];
  });
  return Promise.all(
    ledgers.map(async ({ step, sha256 }) =>
      parseTransplant(step, Buffer.from(await artifacts.read(sha256)).toString("utf8")),
    ),
  );
}
