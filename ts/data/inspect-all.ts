/** Looks into all candidates, several at once. */
import { mapConcurrently } from "../core/concurrency.js";
import { CasslError } from "../core/errors.js";
import { IMAGES_AT_ONCE, type InspectionCache, inspectImage } from "./inspect-image.js";
import type { InspectedImage } from "./inspected-image.js";
import { WORDS_PER_PICTURE } from "./near-duplicates/picture-hash.js";
import type { SharedPictures } from "./near-duplicates/search.js";
import type { Candidate } from "./sources.js";

export interface InspectContext {
  readonly maxPixels: number;
  readonly cache?: InspectionCache | undefined;
  readonly signal: AbortSignal;
  onProgress(done: number, total: number): void;
}

const PROGRESS_REPORTS = 100;

/**
 * Whatever the cache throws as a CasslError ends it; nothing that is wrong with an image does.
 * @returns images in the order of the candidates, and (32 * N) their hashes: zeros where an image could not be decoded.
 */
export async function inspectAll(
  candidates: readonly Candidate[],
  { maxPixels, cache, signal, onProgress }: InspectContext,
): Promise<{ images: InspectedImage[]; pictures: SharedPictures }> {
  const total = candidates.length;
  const pictures = new Uint32Array(new SharedArrayBuffer(4 * WORDS_PER_PICTURE * total));
  let done = 0;
  const report = (): void => {
    done++;
    if (done === total || done % Math.ceil(total / PROGRESS_REPORTS) === 0) onProgress(done, total);
  };
  const inspect = async (position: number): Promise<InspectedImage> => {
    const candidate = candidates[position] as Candidate;
    try {
      const { info, hashes } = await inspectImage(candidate.path, maxPixels, cache);
      pictures.set(hashes, position * WORDS_PER_PICTURE);
      return { candidate, info };
    } catch (error) {
      // Not the image's fault, but that of the disk which the cache is on.
      if (error instanceof CasslError) throw error;
      return { candidate, fault: (error as Error).message };
    } finally {
      report();
    }
  };
  return { images: await mapConcurrently([...candidates.keys()], IMAGES_AT_ONCE, inspect, signal), pictures };
}
