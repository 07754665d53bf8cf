/** Comparisons of runs: those that are asked for, and those that `cassl compare` has concluded. */
import { type Request, Router } from "express";
import type { ControllerParts } from "../controller/controller.js";
import { CasslError } from "../core/errors.js";
import type { Run } from "../gen/cassl/v1/run.js";
import { json, parameter, wholeNumber } from "./answers.js";
import { createComparedRuns } from "./compared-runs.js";
import type { Protection } from "./protection.js";
import { sendReport } from "./report-file.js";
import { createStoredComparisons } from "./stored-comparisons.js";
import { MOST_COMPARED } from "./wire/comparison.js";

export function comparisonRoutes(parts: ControllerParts, { allow }: Protection): Router {
  const compared = createComparedRuns(parts);
  const concluded = createStoredComparisons(parts);
  const router = Router();
  const runs = (request: Request): Run[] => runIdsOf(request).map((id) => parts.runs.get(id));

  router.get(
    "/comparison",
    allow("GetRun"),
    json((request) => compared.describe(runs(request))),
  );
  router.get(
    "/comparison/differences",
    allow("GetRun"),
    json((request) => compared.differences(runs(request), wholeNumber(request, "baseline") ?? 0)),
  );
  router.get("/comparisons", allow("ListRuns"), json(concluded.list));
  router.get(
    "/comparisons/:comparison",
    allow("GetRun"),
    json((request) => concluded.describe(parameter(request, "comparison"))),
  );
  router.get("/comparisons/:comparison/report", allow("GetRun"), async (request, response, next) => {
    sendReport(await concluded.reportOf(parameter(request, "comparison")), response, next);
  });
  return router;
}

/** Each once. */
function runIdsOf({ query }: Request): string[] {
  const ids = [...new Set([query["run"] ?? []].flat())].filter((id) => typeof id === "string");
  if (ids.length >= 1 && ids.length <= MOST_COMPARED) return ids;
  throw new CasslError(
    "REQUEST_INVALID",
    `${ids.length} runs are to be compared.`,
    `Name up to ${MOST_COMPARED}, such as ?run=ONE&run=OTHER.`,
  );
}
