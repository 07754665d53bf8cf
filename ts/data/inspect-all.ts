/** Looks into all candidates, several at once. */
import { mapConcurrently } from "../core/concurrency.js";
import { CasslError } from "../core/errors.js";
import { FetchFault } from "../images/download.js";
import type { ImageStore } from "../images/image-store.js";
import { isUri } from "../images/places.js";
import { IMAGES_AT_ONCE, type InspectionCache, inspectImage } from "./inspect-image.js";
import type { InspectedImage } from "./inspected-image.js";
import { WORDS_PER_PICTURE } from "./near-duplicates/picture-hash.js";
import type { SharedPictures } from "./near-duplicates/search.js";
import type { Candidate } from "./sources.js";

export interface InspectContext {
  readonly maxPixels: number;
  readonly cache?: InspectionCache | undefined;
  /** Left out: those on this machine. */
  readonly images?: ImageStore | undefined;
  readonly signal: AbortSignal;
  onProgress(done: number, total: number): void;
}

const PROGRESS_REPORTS = 100;

/** Waiting for a server takes longer than decoding. */
const DOWNLOADS_AT_ONCE = 32;

/**
 * Whatever the cache throws as a CasslError ends it; nothing that is wrong with an image does.
 * @returns images in the order of the candidates, and (32 * N) their hashes: zeros where an image could not be decoded.
 */
export async function inspectAll(
  candidates: readonly Candidate[],
  { maxPixels, cache, images, signal, onProgress }: InspectContext,
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
      const { info, hashes } = await inspectImage(candidate.path, maxPixels, cache, images);
      pictures.set(hashes, position * WORDS_PER_PICTURE);
      return { candidate, info };
    } catch (error) {
      // Not the image's fault, but that of the disk which the cache is on, or of the network.
      if (error instanceof CasslError) throw error;
      return { candidate, fault: (error as Error).message, isMissing: error instanceof FetchFault };
    } finally {
      report();
    }
  };
  const atOnce = candidates.some(({ path }) => isUri(path)) ? DOWNLOADS_AT_ONCE : IMAGES_AT_ONCE;
  return { images: await mapConcurrently([...candidates.keys()], atOnce, inspect, signal), pictures };
}
