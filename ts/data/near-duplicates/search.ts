/** The searches in a thread of their own: among millions of pictures they take a minute, in which others want to go on. */
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type { SuspectedCopy } from "./candidates.js";

/** Hashes of pictures in memory that threads can share. */
export type SharedPictures = Uint32Array<SharedArrayBuffer>;

export type SearchRequest =
  | {
      readonly kind: "copies";
      readonly pictures: SharedPictures;
      readonly suspects: Uint32Array;
      readonly originals: Uint32Array;
    }
  | {
      readonly kind: "series";
      readonly pictures: SharedPictures;
      readonly positions: Uint32Array;
      readonly names: readonly string[];
    };

export type SearchResult = SuspectedCopy[] | Uint32Array;

/** `findCopyCandidates` in a thread. */
export async function searchCopies(
  pictures: SharedPictures,
  suspects: Uint32Array,
  originals: Uint32Array,
  signal: AbortSignal,
): Promise<SuspectedCopy[]> {
  return (await search({ kind: "copies", pictures, suspects, originals }, signal)) as SuspectedCopy[];
}

/** `findSeries` in a thread. */
export async function searchSeries(
  pictures: SharedPictures,
  positions: Uint32Array,
  names: readonly string[],
  signal: AbortSignal,
): Promise<Uint32Array> {
  return (await search({ kind: "series", pictures, positions, names }, signal)) as Uint32Array;
}

/** Rejects with what the thread throws, or the reason of the signal. */
async function search(workerData: SearchRequest, signal: AbortSignal): Promise<SearchResult> {
  signal.throwIfAborted();
  const worker = new Worker(new URL("./search-thread.js", import.meta.url), { workerData });
  try {
    const [result] = (await once(worker, "message", { signal })) as [SearchResult];
    return result;
  } finally {
    await worker.terminate();
  }
}
