import { CasslError } from "../core/errors.js";
import type { PairIou } from "../core/pair-iou.js";
import { iouOf } from "../masks/iou.js";
import { outlineOf } from "../masks/outline.js";
import type { Rle } from "../masks/rle.js";

/**
 * IoU of the masks of one image, for any suppression of this folder or of `suppressOverlaps`.
 * ANNOTATIONS_INVALID if their sizes differ, or if the runs of one do not fill it.
 */
export function maskPairIou(masks: readonly Rle[]): PairIou {
  const [first] = masks;
  const stranger = masks.find(({ width, height }) => width !== first?.width || height !== first.height);
  if (first !== undefined && stranger !== undefined) {
    const message = `Masks of ${first.width}x${first.height} and of ${stranger.width}x${stranger.height} px are not of one image.`;
    throw new CasslError("ANNOTATIONS_INVALID", message, "Compare the masks of one image only.");
  }
  const outlines = masks.map(outlineOf);
  const at = (index: number) => outlines[index] as (typeof outlines)[number];
  return (a, b) => iouOf(at(a), at(b), false, 0);
}
