/** The data of a run: what became of every image, and why. */
import { type Request, Router } from "express";
import type { ControllerParts } from "../controller/controller.js";
import { stepOutputs } from "../controller/step-outputs.js";
import { CasslError } from "../core/errors.js";
import type { CuratedData } from "../data/curate.js";
import { findImages, type ImageQuery } from "../data/image-table.js";
import type { HeldOutImages } from "../pipeline/image-sets.js";
import { json, parameter, query, wholeNumber } from "./answers.js";
import { createDataSummaries, type DataOutputs } from "./data/data-summary.js";
import { copyPairs, leakPairs } from "./data/image-pairs.js";
import type { Protection } from "./protection.js";
import { LEDGER_LINES, type LedgerPage, PAIRS_AT_ONCE, type PairPage } from "./wire/data.js";

export function dataRoutes(parts: ControllerParts, { allow }: Protection): Router {
  const { artifacts } = parts;
  const describe = createDataSummaries(parts);
  const router = Router();
  const outputs = (request: Request): DataOutputs => outputsOf(parts, parameter(request, "run"));

  router.get(
    "/runs/:run/data",
    allow("GetRun"),
    json((request) => describe(outputs(request))),
  );
  router.get(
    "/runs/:run/ledger",
    allow("GetRun"),
    json(async (request): Promise<LedgerPage> => {
      const { image_table } = outputs(request).curated;
      return findImages(await artifacts.path(image_table.sha256), imageQuery(request));
    }),
  );
  router.get(
    "/runs/:run/pairs",
    allow("GetRun"),
    json((request): Promise<PairPage> => {
      const pairs = query(request, "kind") === "copies" ? copyPairs : leakPairs;
      return pairs(outputs(request).curated, wholeNumber(request, "offset") ?? 0, PAIRS_AT_ONCE, artifacts);
    }),
  );
  return router;
}

/** RUN_NOT_FOUND; FILE_NOT_FOUND before the run knows its images. */
function outputsOf({ runs, state }: ControllerParts, runId: string): DataOutputs {
  const steps = stepOutputs(runs.get(runId).run_id, state);
  const curated = steps.get("curate") as CuratedData | undefined;
  if (curated !== undefined) return { curated, parts: steps.get("hold_out") as HeldOutImages | undefined };
  const message = `The run \`${runId}\` has not looked at its images yet.`;
  throw new CasslError("FILE_NOT_FOUND", message, "Look again when its first step, curate, is done.");
}

function imageQuery(request: Request): ImageQuery {
  const equal = (["split", "fate", "reason"] as const).flatMap((name) => {
    const value = query(request, name);
    return value === "" ? [] : [[name, value] as const];
  });
  return {
    where: Object.fromEntries(equal),
    containing: query(request, "file"),
    offset: wholeNumber(request, "offset") ?? 0,
    limit: LEDGER_LINES,
  };
}
