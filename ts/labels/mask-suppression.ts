/** Which of two boxes goes, by the masks that they have. */
import { decodeCounts } from "../masks/counts-string.js";
import { iouOf } from "../masks/iou.js";
import { type Outline, outlineOf } from "../masks/outline.js";

/** Whether the worse of two rows, the second, goes. */
export type Suppresses = (better: number, worse: number) => boolean;

/**
 * Whether two rows of one image and class have masks that overlap by more than `nmsIou`. Rows without masks are judged by boxes.
 * Masks are kept from call to call, so that it is made anew for each image.
 * @param masks of each row, as COCO's counts strings.
 * @param classes of each row.
 */
export function maskSuppression(
  masks: readonly (string | null)[],
  classes: Int32Array,
  nmsIou: number,
  byBoxes: Suppresses,
): Suppresses {
  const known = new Map<number, Outline>();
  const outlineAt = (row: number): Outline | undefined => {
    const counts = masks[row] ?? undefined;
    if (counts === undefined || known.has(row)) return known.get(row);
    const outline = outlineOfCounts(counts);
    known.set(row, outline);
    return outline;
  };
  return (better, worse) => {
    if (classes[better] !== classes[worse]) return false;
    const [a, b] = [outlineAt(better), outlineAt(worse)];
    return a === undefined || b === undefined ? byBoxes(better, worse) : iouOf(a, b, false, nmsIou) > nmsIou;
  };
}

/** As if the image were one column: the overlap of runs does not depend on its height. */
function outlineOfCounts(text: string): Outline {
  const counts = decodeCounts(text);
  return outlineOf({ width: 1, height: counts.reduce((sum, count) => sum + count, 0), counts });
}
