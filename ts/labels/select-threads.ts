/** Selects groups of shards in threads. */
import { once } from "node:events";
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { fromErrorDetail } from "../core/errors.js";
import type { ErrorDetail } from "../gen/cassl/v1/error_reason.js";
import { type GroupRequest, type GroupSelection, selectGroup } from "./select-group.js";

/** More of them read no faster than one can write what they select. */
const MOST_THREADS = 4;

type Answer = { readonly selection: GroupSelection } | { readonly error: ErrorDetail };

/** The selections in the order of the requests, few at a time. One alone is not worth a thread. */
export async function* selectInThreads(
  requests: readonly GroupRequest[],
  signal?: AbortSignal,
): AsyncGenerator<GroupSelection, void, undefined> {
  if (requests.length < 2) {
    for (const request of requests) yield await selectGroup(request);
    return;
  }
  const count = Math.min(MOST_THREADS, availableParallelism(), requests.length);
  const threads = Array.from({ length: count }, () => new Worker(new URL("./select-thread.js", import.meta.url)));
  try {
    // Each thread has every count-th request, so that the next one due is always under way.
    const answers = requests.slice(0, count).map((request, at) => ask(threads[at] as Worker, request, signal));
    for (const at of requests.keys()) {
      const selection = await (answers[at % count] as Promise<GroupSelection>);
      const next = requests[at + count];
      if (next !== undefined) answers[at % count] = ask(threads[at % count] as Worker, next, signal);
      yield selection;
    }
  } finally {
    await Promise.all(threads.map((thread) => thread.terminate()));
  }
}

/** Fails where it is awaited, which may be later than it does. */
function ask(thread: Worker, request: GroupRequest, signal?: AbortSignal): Promise<GroupSelection> {
  const answer = answerOf(thread, request, signal);
  answer.catch(() => {});
  return answer;
}

async function answerOf(thread: Worker, request: GroupRequest, signal?: AbortSignal): Promise<GroupSelection> {
  thread.postMessage(request);
  const [answer] = (await once(thread, "message", signal === undefined ? {} : { signal })) as [Answer];
  if ("error" in answer) throw fromErrorDetail(answer.error);
  return answer.selection;
}
