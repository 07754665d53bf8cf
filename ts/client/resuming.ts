/** Going on where a connection broke: the controller may be restarted, or the network be gone for some seconds. */
import { setTimeout as delay } from "node:timers/promises";
import { CasslError } from "../core/errors.js";

/** How long to wait before each retry: a reader outlives a controller's restart of some 15 seconds. */
const RETRIES_MS = [250, 500, 1000, 2000, 4000, 8000] as const;

/**
 * Reads a stream, and opens it again after the last item when it breaks after it has once worked.
 * @param start the position of the first item that is asked for.
 * @param next the position after an item.
 */
export async function* resumingStream<Item>(
  open: (position: number) => AsyncIterable<Item>,
  start: number,
  next: (position: number, item: Item) => number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Item, void, undefined> {
  const retries = createRetries(signal);
  let position = start;
  for (;;) {
    try {
      for await (const item of open(position)) {
        yield item;
        position = next(position, item);
        retries.succeed();
      }
      return;
    } catch (error) {
      await retries.afterFailure(error);
    }
  }
}

export interface Retries {
  /** Something has worked: from now on a failure is an outage, of which all retries are left. */
  succeed(): void;
  /** Waits before the next try. Throws the failure if it is none of the connection, or if trying is in vain. */
  afterFailure(error: unknown): Promise<void>;
}

export function createRetries(signal: AbortSignal | undefined): Retries {
  let left = RETRIES_MS.values();
  let worked = false;
  return {
    succeed() {
      left = RETRIES_MS.values();
      worked = true;
    },
    async afterFailure(error) {
      const wait = left.next();
      if (CasslError.from(error).reason !== "CONTROLLER_UNREACHABLE" || !worked || wait.done === true) throw error;
      await pause(wait.value, signal);
    },
  };
}

/** Waits, with jitter so that readers do not come back all at once. CANCELLED when `signal` aborts. */
async function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await delay(milliseconds * (0.75 + Math.random() / 2), undefined, signal && { signal });
  } catch (error) {
    throw CasslError.from(error);
  }
}
