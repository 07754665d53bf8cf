/** The masks of the images that are looked at, each fetched once. */
import type { ImageMask } from "../wire/labels.js";
import { get } from "./api.js";

/** One a predicted box of the image, in their order; null for a box without. */
export type ImageMasks = readonly (ImageMask | null)[];

export interface MaskSource {
  /** Undefined until they are there. */
  find(file: string): ImageMasks | undefined;
  /** Those of an image; none of a model that gives none. */
  load(file: string): Promise<ImageMasks>;
}

/** @param question scope and set. @param side_px of the picture that they are drawn over. */
export function createMaskSource(runId: string, question: URLSearchParams, side_px: number): MaskSource {
  const known = new Map<string, ImageMasks>();
  const loading = new Map<string, Promise<ImageMasks>>();
  const fetchMasks = async (file: string): Promise<ImageMasks> => {
    const asked = new URLSearchParams([...question, ["file", file], ["side", String(side_px)]]);
    const masks = await get<ImageMasks>(`runs/${encodeURIComponent(runId)}/masks?${asked}`);
    known.set(file, masks);
    return masks;
  };
  return {
    find: (file) => known.get(file),
    load(file) {
      const masks = loading.get(file) ?? fetchMasks(file);
      loading.set(file, masks);
      // The next one asks again.
      masks.catch(() => loading.delete(file));
      return masks;
    },
  };
}
