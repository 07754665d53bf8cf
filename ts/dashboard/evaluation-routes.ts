/** How good the detectors of a run are, and at which images one sees it. */
import { type Request, Router } from "express";
import type { ControllerParts } from "../controller/controller.js";
import { CasslError } from "../core/errors.js";
import { json, parameter, query, wholeNumber } from "./answers.js";
import type { ChosenCell } from "./evaluation/evaluated-images.js";
import { type AskedEvaluation, createEvaluations } from "./evaluation/evaluations.js";
import type { Protection } from "./protection.js";

export function evaluationRoutes(parts: ControllerParts, { allow }: Protection): Router {
  const evaluations = createEvaluations(parts);
  const router = Router();
  const runId = (request: Request): string => parts.runs.get(parameter(request, "run")).run_id;
  router.get(
    "/runs/:run/evaluation",
    allow("GetRun"),
    json((request) => evaluations.describe(runId(request), askedOf(request))),
  );
  router.get(
    "/runs/:run/evaluation/images",
    allow("GetRun"),
    json((request) => evaluations.images(runId(request), askedOf(request), cellOf(request))),
  );
  return router;
}

function askedOf(request: Request): AskedEvaluation {
  const iouType = query(request, "iou") || "bbox";
  if (iouType === "bbox" || iouType === "segm") return { step: query(request, "step"), iouType };
  throw new CasslError("REQUEST_INVALID", `\`iou\` is ${JSON.stringify(iouType.slice(0, 100))}.`, "Give bbox or segm.");
}

/** Without a cell the worst images are asked for. */
function cellOf(request: Request): ChosenCell | undefined {
  const [truth, detected] = [wholeNumber(request, "truth"), wholeNumber(request, "detected")];
  if (truth === undefined && detected === undefined) return undefined;
  if (truth !== undefined && detected !== undefined) return { truth, detected };
  throw new CasslError("REQUEST_INVALID", "One of `truth` and `detected` is missing.", "Give both, or none.");
}
