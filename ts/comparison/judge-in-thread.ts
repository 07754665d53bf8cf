import { stat } from "node:fs/promises";
import { askThread } from "../core/thread.js";
import { type JudgedDetections, type JudgeRequest, judgeDetections } from "./judge-detections.js";

/** Of all files together: judging less takes no longer than starting a thread. */
const WORTH_A_THREAD_BYTES = 50_000;

/**
 * `judgeDetections` in a thread of its own, if there is much to be judged: thousands of images take it a minute, in which
 * others want to go on. Rejects with what it throws, or when the signal aborts.
 */
export async function judgeInThread(request: JudgeRequest, signal: AbortSignal): Promise<JudgedDetections[]> {
  signal.throwIfAborted();
  const files = await Promise.all(request.detections.map((path) => stat(path)));
  if (files.reduce((sum, { size }) => sum + size, 0) < WORTH_A_THREAD_BYTES) return judgeDetections(request);
  return askThread<JudgedDetections[]>(new URL("./judge-thread.js", import.meta.url), request, signal);
}
