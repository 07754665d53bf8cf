/** How far the masks of the exported model are from torch's. */
import { area, intersection } from "../../masks/index.js";
import type { Match } from "./parity-rows.js";

/**
 * The share, in [0, 1], of the pixels in masks of detections that both have that are in one of the two only. Null where there
 * are none. A mask that torch has and the model lacks differs in all of its pixels.
 */
export function differingMaskPixels(matches: readonly Match[]): number | null {
  let [all, differing] = [0, 0];
  for (const { expected, found } of matches) {
    if (expected.mask === undefined || found === undefined) continue;
    const own = area(expected.mask);
    const shared = found.mask === undefined ? 0 : area(intersection([expected.mask, found.mask]));
    const union = own + (found.mask === undefined ? 0 : area(found.mask)) - shared;
    all += union;
    differing += union - shared;
  }
  return all === 0 ? null : differing / all;
}
