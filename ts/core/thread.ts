/** One question to a thread of its own, and its answer. A CasslError keeps its reason and its remedy on the way. */
import { once } from "node:events";
import { parentPort, Worker, workerData } from "node:worker_threads";
import type { ErrorDetail } from "../gen/cassl/v1/error_reason.js";
import { fromErrorDetail, toErrorDetail } from "./errors.js";

type Answer<T> = { readonly answer: T } | { readonly error: ErrorDetail };

/** The thread and its memory end with the answer. @param file calls `answerThread`. Rejects when the signal aborts, too. */
export async function askThread<T>(file: URL, question: unknown, signal?: AbortSignal): Promise<T> {
  signal?.throwIfAborted();
  const thread = new Worker(file, { workerData: question });
  try {
    const [said] = (await once(thread, "message", signal && { signal })) as [Answer<T>];
    if ("error" in said) throw fromErrorDetail(said.error);
    return said.answer;
  } finally {
    await thread.terminate();
  }
}

/** All that a file of `askThread` does. */
export async function answerThread<Q>(work: (question: Q) => Promise<unknown>): Promise<void> {
  try {
    parentPort?.postMessage({ answer: await work(workerData as Q) });
  } catch (error) {
    parentPort?.postMessage({ error: toErrorDetail(error) });
  }
}
