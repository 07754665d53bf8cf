import { CasslError } from "./errors.js";

/** A limit for work that waits for the disk. */
export const FILES_AT_ONCE = 16;

/** `Promise.all(items.map(work))` with at most `limit` items under way. Stops at the first failure, or when `signal` aborts. */
export async function mapConcurrently<T, R>(
  items: readonly T[],
  limit: number,
  work: (item: T) => Promise<R>,
  signal?: AbortSignal,
): Promise<R[]> {
  const results = new Array<R>(items.length);
  const queue = items.entries();
  let failed = false;
  const drain = async (): Promise<void> => {
    try {
      for (const [index, item] of queue) {
        if (failed) return;
        signal?.throwIfAborted();
        results[index] = await work(item);
      }
    } catch (error) {
      failed = true;
      throw error;
    }
  };
  await Promise.all(Array.from({ length: limit }, drain));
  return results;
}

/** What the promise comes to, or the reason of the signal, whichever is first. The promise is left alone. */
export function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(CasslError.from(signal.reason));
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    const settled = promise.finally(() => signal.removeEventListener("abort", abort));
    settled.then(resolve, reject);
  });
}
