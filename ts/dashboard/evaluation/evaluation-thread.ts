/** A thread of `evaluations.ts`: answers with what it was asked to evaluate, or with the error that it failed with. */
import { parentPort, workerData } from "node:worker_threads";
import { toErrorDetail } from "../../core/errors.js";
import { type EvaluationRequest, evaluateStored } from "./evaluated.js";

try {
  parentPort?.postMessage({ evaluated: await evaluateStored(workerData as EvaluationRequest) });
} catch (error) {
  parentPort?.postMessage({ error: toErrorDetail(error) });
}
